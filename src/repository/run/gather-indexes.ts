import type { Digest } from '../../oci/digest.ts';
import { encodePackLine } from '../packs/index-lines.ts';
import { readPackIndex } from '../packs/read-pack-index.ts';
import type { PackLine } from '../packs/stage-indexes.ts';
import { byPack, type UsablePacks } from '../packs/usable-packs.ts';
import type { Store } from '../seal/store.ts';
import type { IndexRef, PackRef } from '../snapshot/manifest.ts';

/** A snapshot that would need more indexes than this gets their lines in an index of its own. */
const mostIndexes = 32;

/** What tells of some packs already. */
export interface GatheredIndexes {
  /** To be named as they are. */
  refs: IndexRef[];
  /** When there are too many of them: what to write anew, read when it is asked for. */
  lines?: AsyncIterable<PackLine>;
}

/**
 * The indexes that tell of these packs; when there are too many, their lines.
 * @param own those that the snapshot has already
 */
export async function gatherIndexes(
  store: Store,
  usable: UsablePacks,
  packs: readonly PackRef[],
  own: readonly IndexRef[] = [],
): Promise<GatheredIndexes> {
  const ownByPack = byPack(own);
  const found = new Map<Digest, IndexRef>();
  for (const pack of packs) {
    const index = await usable.indexOf(pack, ownByPack);
    if (index === undefined) throw new Error(`no index tells of the pack ${pack.digest}`);
    const packsOfIndex = found.get(index.digest)?.packs ?? [];
    found.set(index.digest, { ...index, packs: [...packsOfIndex, pack] });
  }
  const refs = [...found.values()];
  return refs.length <= mostIndexes ? { refs } : { refs: [], lines: readLines(store, refs) };
}

async function* readLines(store: Store, indexes: readonly IndexRef[]): AsyncGenerator<PackLine> {
  for (const index of indexes) {
    const { packs } = await readPackIndex(store, index);
    const needed = new Map(index.packs.map((pack) => [pack.digest, pack]));
    for (const contents of packs) {
      const pack = needed.get(contents.pack);
      if (pack !== undefined) yield { pack, line: encodePackLine(contents) };
    }
  }
}
