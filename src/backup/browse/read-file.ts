import type { Entry } from '../../repository/entry.ts';
import type { Repository } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { DamagedError, UsageError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { noSuchFile, type Place, placesNamed } from './file-name.ts';
import { filesAt, type ListedFile } from './list-files.ts';

/**
 * The bytes of one regular file of a snapshot, holes as zeros.
 *
 * @param name as `placesNamed` reads it
 * @throws {NotFoundError} when there is no such file. @throws {UsageError} when it has no content: a directory, a link
 * @throws {DamagedError} when it cannot be read, or may be in a part of the tree that cannot be
 */
export async function* readFile(
  repository: Repository,
  snapshot: Snapshot,
  name: string,
): AsyncGenerator<Uint8Array> {
  const named = await findFile(repository, snapshot, name, placesNamed(snapshot, name));
  if (named.entry.type !== 'file') throw withoutContent(snapshot, name, named.entry);
  const entry = await firstNameOf(named, repository, snapshot, name);
  yield* withHoles(repository.content(snapshot, entry), entry);
}

/** A further name has no content of its own; who made the snapshot may have made two names of each other. */
async function firstNameOf(
  { source, entry }: ListedFile,
  repository: Repository,
  snapshot: Snapshot,
  name: string,
): Promise<Entry> {
  const { hardlink } = entry;
  if (hardlink === undefined) return entry;
  const first = (await findFile(repository, snapshot, name, [{ source, path: hardlink }])).entry;
  if (first.hardlink === undefined && first.type === 'file') return first;
  const what = `reading ${name} of snapshot ${shortId(snapshot.id)}`;
  throw new DamagedError(`${what}: it is another name of ${toText(hardlink)}, which has no content either`);
}

async function findFile(
  repository: Repository,
  snapshot: Snapshot,
  name: string,
  places: readonly Place[],
): Promise<ListedFile> {
  let damage: DamagedError | undefined;
  for (const place of places) {
    const files = filesAt(repository, snapshot, place, ({ error }) => {
      damage ??= error;
    });
    for await (const file of files)
      if (place.path === undefined || file.entry.path === place.path) return file;
  }
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
