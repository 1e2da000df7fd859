import type { Entry } from '../../repository/entry.ts';
import type { Repository } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { DamagedError, UsageError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { fileNameOf, noSuchFile, placesNamed } from './file-name.ts';
import { type ListedFile, listFiles } from './list-files.ts';

/**
 * The bytes of one regular file of a snapshot, holes as zeros.
 *
 * @param name as `placesNamed` reads it
 * @throws {NotFoundError} when there is no such file. @throws {UsageError} when it has no content: a directory, a link
 * @throws {DamagedError} when it cannot be read, or may be in a part of the tree that cannot
 */
export async function* readFile(
  repository: Repository,
  snapshot: Snapshot,
  name: string,
): AsyncGenerator<Uint8Array> {
  const { source, entry } = await findFile(repository, snapshot, name);
  if (entry.type !== 'file') throw withoutContent(snapshot, name, entry);
  if (entry.hardlink === undefined) return yield* withHoles(repository.content(snapshot, entry), entry);
  yield* readFile(repository, snapshot, fileNameOf(source, { path: entry.hardlink }));
}

async function findFile(repository: Repository, snapshot: Snapshot, name: string): Promise<ListedFile> {
  let damage: DamagedError | undefined;
  const files = listFiles(repository, snapshot, name, ({ error }) => {
    damage ??= error;
  });
  const paths = new Set(placesNamed(snapshot, name).map(({ path }) => path));
  for await (const file of files) if (paths.has(undefined) || paths.has(file.entry.path)) return file;
  if (damage) throw unknown(snapshot, name, damage);
  throw noSuchFile(snapshot, name);
}

function withoutContent({ id }: Snapshot, name: string, { type, target }: Entry): UsageError {
  const advice =
    target === undefined
      ? `dockerctl backup ls -l ${shortId(id)} lists what there is`
      : `It points to ${toText(target)}`;
  return new UsageError(`reading ${name} of snapshot ${shortId(id)}: it is a ${type}`, { advice });
}

function unknown({ id }: Snapshot, name: string, cause: DamagedError): DamagedError {
  return new DamagedError(`looking for ${name} in snapshot ${shortId(id)}: ${cause.message}`, {
    cause,
    facts: cause.facts,
    advice: 'Another snapshot may have it: dockerctl backup list shows which there are',
  });
}

const zeros = new Uint8Array(64 * 1024);

async function* withHoles(
  content: AsyncIterable<Uint8Array>,
  { holes = [], size = 0 }: Entry,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let next = 0;
  function* fill(): Generator<Uint8Array> {
    for (let hole = holes[next]; hole !== undefined && hole[0] === at; hole = holes[++next]) {
      const end = Math.min(hole[0] + hole[1], size);
      for (; at < end; at += zeros.length) yield zeros.subarray(0, Math.min(zeros.length, end - at));
      at = end;
    }
  }
  yield* fill();
  for await (const piece of content) {
    for (let from = 0; from < piece.length; ) {
      const room = (holes[next]?.[0] ?? Number.POSITIVE_INFINITY) - at;
      const part = piece.subarray(from, Math.min(piece.length, from + room));
      yield part;
      from += part.length;
      at += part.length;
      yield* fill();
    }
  }
}
