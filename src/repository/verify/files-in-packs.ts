import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { PackContents } from '../packs/index-lines.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';
import { unlessUnreadable } from '../unless-unreadable.ts';
import { findDamagedChunks, readIndexPacks } from './check-pack.ts';
import { LostChunks } from './lost-chunks.ts';
import type { SpoiledNames } from './spoiled-names.ts';

/**
 * Names the files with content in a part of a pack that cannot be read; all that are in the pack when every part can.
 * However many packs are damaged, indexes and trees are read once.
 * @param stored the snapshots that need these packs
 */
export async function nameFilesInPacks(
  store: Store,
  stored: readonly StoredSnapshot[],
  packs: ReadonlySet<Digest>,
  names: SpoiledNames,
): Promise<void> {
  const lost = await lostChunks(store, stored, packs);
  const seen = new Set<string>();
  for (const { trees } of stored) {
    for (const [source, refs] of trees) {
      const fresh = refs.filter((ref) => {
        const wanted = ref.packs.filter(({ digest }) => packs.has(digest) && !names.isFull(digest));
        const before = seen.size;
        for (const { digest } of wanted) seen.add(`${source} ${ref.digest} ${digest}`);
        return seen.size > before;
      });
      await unlessUnreadable(() => nameIn(store, source, fresh, lost, names));
    }
  }
}

async function lostChunks(
  store: Store,
  stored: readonly StoredSnapshot[],
  packs: ReadonlySet<Digest>,
): Promise<LostChunks> {
  const lost = new LostChunks();
  const untold = new Set(packs);
  for (const index of new Set(stored.flatMap(({ parts }) => parts.indexes.map(({ digest }) => digest)))) {
    if (untold.size === 0) break;
    const told = (await unlessUnreadable(() => readIndexPacks(store, index))) ?? [];
    for (const contents of told) {
      if (!untold.delete(contents.pack)) continue;
      await unlessUnreadable(async () => lost.add(contents.pack, await unreadableIn(store, contents)));
    }
  }
  return lost;
}

/** Digests, joined. */
async function unreadableIn(store: Store, contents: PackContents): Promise<string> {
  const damaged = await findDamagedChunks(store, contents);
  return damaged.size > 0 ? [...damaged].join('') : contents.frames.map(({ chunks }) => chunks).join('');
}

async function nameIn(
  store: Store,
  source: string,
  refs: readonly TreeRef[],
  lost: LostChunks,
  names: SpoiledNames,
): Promise<void> {
  for await (const segment of readSegments(store, refs)) {
    if (segment instanceof DamagedError) continue;
    const its = new Set(segment.ref.packs.map(({ digest }) => digest));
    for (const { path, chunks = [] } of segment.entries) {
      for (const pack of new Set(chunks.flatMap((chunk) => lost.packsOf(chunk))))
        if (its.has(pack)) names.addFile(pack, source, path);
    }
  }
}
