import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { Entry } from '../entry.ts';
import { ChunkPlaces } from '../read/chunk-places.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/load.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { readSegments } from '../tree/read-tree.ts';
import { chunksOf, findDamagedChunks, readPackContents } from './check-pack.ts';
import { filesOfLostSegment } from './lost-segment.ts';

/** So many files are named; a damaged pack can spoil thousands. */
export const mostFiles = 100;

/**
 * `source:path` of what a damaged or missing blob spoils, as exactly as can be known.
 * @param spoiled the snapshots that need it
 * @param others every snapshot: the same files may be told of by another one
 * @throws {SignatureError} when that is sealed and no key is at hand
 */
export async function spoiledFiles(
  store: Store,
  spoiled: readonly StoredSnapshot[],
  others: readonly StoredSnapshot[],
  blob: Digest,
): Promise<string[]> {
  const files = new Set<string>();
  for (const stored of spoiled) {
    const { packs, indexes } = stored.parts;
    const isOne = (ref: { digest: Digest }) => ref.digest === blob;
    if (packs.some(isOne)) await addFiles(files, filesInPack(store, stored, blob));
    if (indexes.some(isOne)) await addFiles(files, filesOfIndex(store, stored, blob));
    await addFiles(files, filesOfLostSegment(store, stored, others, blob));
  }
  return [...files];
}

async function addFiles(files: Set<string>, more: AsyncIterable<string>): Promise<void> {
  for await (const file of more) {
    if (files.size >= mostFiles) return;
    files.add(file);
  }
}

/** Those with content in a part of the pack that cannot be read; all that are in it when every part can. */
async function* filesInPack(store: Store, stored: StoredSnapshot, pack: Digest): AsyncGenerator<string> {
  const contents = (await readPackContents(store, [stored])).find((other) => other.pack === pack);
  if (contents === undefined) return;
  const damaged = await findDamagedChunks(store, contents);
  const chunks = damaged.size > 0 ? damaged : new Set(contents.frames.flatMap(chunksOf));
  const mayHave = ({ packs }: TreeRef) => packs.some(({ digest }) => digest === pack);
  yield* filesWith(store, stored, mayHave, (entry) => entry.chunks?.some((chunk) => chunks.has(chunk)));
}

/** Those whose content no other index tells of. */
async function* filesOfIndex(store: Store, stored: StoredSnapshot, index: Digest): AsyncGenerator<string> {
  const indexes = stored.parts.indexes.filter(({ digest }) => digest !== index);
  const places = await ChunkPlaces.load(store, { ...stored.parts, indexes });
  yield* filesWith(
    store,
    stored,
    () => true,
    ({ chunks }) => chunks?.some((chunk) => places.find(chunk) === undefined),
  );
}

async function* filesWith(
  store: Store,
  { trees }: StoredSnapshot,
  mayHave: (ref: TreeRef) => boolean,
  isHit: (entry: Readonly<Entry>) => boolean | undefined,
): AsyncGenerator<string> {
  for (const [source, refs] of trees) {
    for await (const segment of readSegments(store, refs.filter(mayHave))) {
      if (segment instanceof DamagedError) continue;
      for (const entry of segment.entries) if (isHit(entry)) yield `${source}:${toText(entry.path)}`;
    }
  }
}
