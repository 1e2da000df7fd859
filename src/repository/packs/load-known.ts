import { unlessDamaged } from '../../support/unless-damaged.ts';
import type { Store } from '../seal/store.ts';
import type { IndexRef, PackRef } from '../snapshot/manifest.ts';
import type { IndexHeader, PackContents } from './index-lines.ts';
import { KnownChunks } from './known-chunks.ts';
import { readPackIndex } from './read-pack-index.ts';
import { uniteIndexes } from './unite-indexes.ts';
import type { UsablePacks } from './usable-packs.ts';

/**
 * Every chunk in packs that can be used, and the repository's seed unless no index can be read.
 * @param known what is known besides: of a chunk that is there too, the place found here counts
 */
export async function loadKnownChunks(
  store: Store,
  indexes: readonly IndexRef[],
  usable: Pick<UsablePacks, 'has'>,
  known = new KnownChunks(),
): Promise<{ known: KnownChunks; seed: Buffer | undefined }> {
  const added = new Set<string>();
  let seed: Buffer | undefined;
  for (const index of uniteIndexes(indexes)) {
    const read = await readCounting(store, index);
    seed ??= read?.header.seed;
    for (const { pack, contents } of read?.packs ?? []) {
      if (added.has(pack.digest) || !(await usable.has(pack))) continue;
      added.add(pack.digest);
      known.addPack(pack, contents);
    }
  }
  return { known, seed };
}

interface ReadIndex {
  header: IndexHeader;
  packs: { pack: PackRef; contents: PackContents }[];
}

/** Of the packs that an index tells of, those that count. One that is damaged tells of none. */
async function readCounting(store: Store, index: IndexRef): Promise<ReadIndex | undefined> {
  return unlessDamaged(async () => {
    const { header, packs } = await readPackIndex(store, index);
    const counting = new Map(index.packs.map((pack) => [pack.digest, pack]));
    const named = packs.flatMap((contents) => {
      const pack = counting.get(contents.pack);
      return pack === undefined ? [] : [{ pack, contents }];
    });
    return { header, packs: named };
  });
}
