import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import type { Entry } from '../entry.ts';
import type { PackContents } from '../packs/index-lines.ts';
import { ChunkPlaces } from '../read/chunk-places.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';
import { chunksOf, findDamagedChunks, readPackContents } from './check-pack.ts';
import { filesOfLostSegment } from './lost-segment.ts';

/** So many files are named; a damaged pack can spoil thousands. */
export const mostFiles = 100;

/**
 * `source:path` of what a damaged or missing blob spoils, as exactly as can be known.
 * @param store with what this host remembers of its own backups, where it does
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
  const isOne = (ref: { digest: Digest }) => ref.digest === blob;
  if (spoiled.some(({ parts }) => parts.packs.some(isOne)))
    await addFiles(files, filesInPack(store, spoiled, blob));
  for (const stored of spoiled) {
    if (files.size >= mostFiles) break;
    if (stored.parts.indexes.some(isOne)) await addFiles(files, filesOfIndex(store, stored, blob));
  }
  // It told the same in all of them.
  const newest = spoiled.findLast(({ parts }) => parts.trees.some(isOne));
  if (newest !== undefined) await addFiles(files, filesOfLostSegment(store, newest, others, blob));
  return [...files];
}

async function addFiles(files: Set<string>, more: AsyncIterable<string>): Promise<void> {
  for await (const file of more) {
    files.add(file);
    if (files.size >= mostFiles) return;
  }
}

/** Those with content in a part of the pack that cannot be read; all that are in it when every part can. */
async function* filesInPack(
  store: Store,
  spoiled: readonly StoredSnapshot[],
  pack: Digest,
): AsyncGenerator<string> {
  const contents = await contentsOf(store, spoiled, pack);
  if (contents === undefined) return;
  const damaged = await findDamagedChunks(store, contents);
  const chunks = damaged.size > 0 ? damaged : new Set(contents.frames.flatMap(chunksOf));
  const mayHave = ({ packs }: TreeRef) => packs.some(({ digest }) => digest === pack);
  yield* filesWith(store, spoiled, mayHave, (entry) => entry.chunks?.some((chunk) => chunks.has(chunk)));
}

async function contentsOf(
  store: Store,
  stored: readonly StoredSnapshot[],
  pack: Digest,
): Promise<PackContents | undefined> {
  for await (const contents of readPackContents(store, stored)) if (contents.pack === pack) return contents;
  return undefined;
}

/** Those whose content no other index tells of. */
async function* filesOfIndex(store: Store, stored: StoredSnapshot, index: Digest): AsyncGenerator<string> {
  const indexes = stored.parts.indexes.filter(({ digest }) => digest !== index);
  const places = await ChunkPlaces.load(store, { ...stored.parts, indexes });
  const isLost = ({ chunks }: Readonly<Entry>) => chunks?.some((chunk) => places.find(chunk) === undefined);
  yield* filesWith(store, [stored], () => true, isLost);
}

/** What snapshots have in common is read once. */
async function* filesWith(
  store: Store,
  snapshots: readonly StoredSnapshot[],
  mayHave: (ref: TreeRef) => boolean,
  isHit: (entry: Readonly<Entry>) => boolean | undefined,
): AsyncGenerator<string> {
  const seen = new Set<string>();
  for (const { trees } of snapshots) {
    for (const [source, refs] of trees) {
      const fresh = refs.filter((ref) => mayHave(ref) && !seen.has(`${source} ${ref.digest}`));
      for (const { digest } of fresh) seen.add(`${source} ${digest}`);
      for await (const segment of readSegments(store, fresh)) {
        if (segment instanceof DamagedError) continue;
        for (const entry of segment.entries) if (isHit(entry)) yield `${source}:${toText(entry.path)}`;
      }
    }
  }
}
