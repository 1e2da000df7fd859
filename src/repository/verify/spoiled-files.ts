import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { ChunkPlaces } from '../read/chunk-places.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';
import { unlessUnreadable } from '../unless-unreadable.ts';
import { nameFilesInPacks } from './files-in-packs.ts';
import { filesOfLostSegment } from './lost-segment.ts';
import { SpoiledNames } from './spoiled-names.ts';

/**
 * `source:path` of what damaged or missing blobs spoil, as exactly as can be known.
 * @param store with what this host remembers of its own backups, where it does
 * @param spoiled the snapshots that need each of them
 * @param all every snapshot: the same files may be told of by another one
 */
export async function spoiledFiles(
  store: Store,
  spoiled: ReadonlyMap<Digest, readonly StoredSnapshot[]>,
  all: readonly StoredSnapshot[],
): Promise<SpoiledNames> {
  const names = new SpoiledNames();
  const damaged = new Set(spoiled.keys());
  const damagedOf = (kind: 'packs' | 'indexes', { parts }: StoredSnapshot) =>
    parts[kind].map(({ digest }) => digest).filter((digest) => damaged.has(digest));
  const packs = new Set(all.flatMap((stored) => damagedOf('packs', stored)));
  const users = all.filter((stored) => damagedOf('packs', stored).length > 0);
  await nameFilesInPacks(store, users, packs, names);
  for (const stored of all) {
    const indexes = damagedOf('indexes', stored).filter((index) => !names.isFull(index));
    if (indexes.length > 0) await unlessUnreadable(() => nameFilesOf(store, stored, indexes, names));
  }
  for (const [blob, users] of spoiled) {
    // It told the same in all of them.
    const newest = users.findLast(({ parts }) => parts.trees.some(({ digest }) => digest === blob));
    if (newest !== undefined) await unlessUnreadable(() => nameRange(store, newest, all, blob, names));
  }
  return names;
}

/** Those whose content no other index tells of. */
async function nameFilesOf(
  store: Store,
  { parts, trees }: StoredSnapshot,
  lost: readonly Digest[],
  names: SpoiledNames,
): Promise<void> {
  const indexes = parts.indexes.filter(({ digest }) => !lost.includes(digest));
  const places = await ChunkPlaces.load(store, { ...parts, indexes });
  for (const [source, refs] of trees) {
    for await (const segment of readSegments(store, refs)) {
      if (segment instanceof DamagedError) continue;
      for (const { path, chunks } of segment.entries) {
        const isLost = chunks?.some((chunk) => places.find(chunk) === undefined);
        if (isLost) for (const index of lost) names.addFile(index, source, path);
      }
      if (lost.every((index) => names.isFull(index))) return;
    }
  }
}

async function nameRange(
  store: Store,
  newest: StoredSnapshot,
  all: readonly StoredSnapshot[],
  lost: Digest,
  names: SpoiledNames,
): Promise<void> {
  for await (const name of filesOfLostSegment(store, newest, all, lost)) {
    names.add(lost, name);
    if (names.isFull(lost)) return;
  }
}
