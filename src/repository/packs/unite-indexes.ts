import type { Digest } from '../../oci/digest.ts';
import type { IndexRef, PackRef } from '../snapshot/manifest.ts';

/** Every index once, in order, with all packs that it counts for: snapshots that share one name it again and again. */
export function uniteIndexes(indexes: readonly IndexRef[]): IndexRef[] {
  const united = new Map<Digest, { index: IndexRef; packs: Map<Digest, PackRef> }>();
  for (const index of indexes) {
    const known = united.get(index.digest) ?? { index, packs: new Map<Digest, PackRef>() };
    united.set(index.digest, known);
    for (const pack of index.packs) if (!known.packs.has(pack.digest)) known.packs.set(pack.digest, pack);
  }
  return [...united.values()].map(({ index, packs }) => ({ ...index, packs: [...packs.values()] }));
}
