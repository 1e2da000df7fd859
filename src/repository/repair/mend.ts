import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { KnownChunks } from '../packs/known-chunks.ts';
import { loadKnownChunks } from '../packs/load-known.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import { reissueManifests } from '../rewrite/reissue.ts';
import type { Store } from '../seal/store.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';
import type { SpareIndex } from './rebuild-indexes.ts';

export interface Findings {
  /** Blobs that are not what their names say. */
  damaged: ReadonlySet<Digest>;
  /** Indexes that tell of packs whose own were lost. */
  spare: readonly SpareIndex[];
}

/**
 * Lets a snapshot find its content in other packs than those it lost, for a later backup of the same files stored it again, and
 * packs by indexes that were written anew.
 * @returns all snapshots as they are then
 * @throws {DamagedError} when some of it is nowhere @throws {SignatureError} when it is sealed and no key is at hand
 */
export async function mendSnapshot(
  store: Store,
  stored: readonly StoredSnapshot[],
  broken: StoredSnapshot,
  { damaged, spare }: Findings,
): Promise<StoredSnapshot[]> {
  const canUse = (recipients: readonly string[]) => opensFor(broken.snapshot.recipients, recipients);
  const donors = stored.filter(({ snapshot }) => canUse(snapshot.recipients)).reverse();
  const indexes = [
    ...donors.flatMap(({ parts }) => parts.indexes),
    ...spare.filter(({ recipients }) => canUse(recipients)).map(({ ref }) => ref),
  ];
  const usable = new UsablePacks(store, indexes, damaged);
  const { known, seed } = await loadKnownChunks(store, indexes, usable);
  const places = new Map<Digest, TreeRef>();
  for (const tree of broken.parts.trees) {
    const isKnown = tree.packs.length > 0 && (await usable.all(tree.packs));
    if (!isKnown) places.set(tree.digest, await findAgain(store, tree, known));
  }
  return reissueManifests(
    { store, stored, usable, seed: seed ?? new Uint8Array(32) },
    new Map([[broken, places]]),
  );
}

/** Whether all who shall open something can open what is sealed to these; what is sealed stays apart from what is not. */
export function opensFor(wanted: readonly string[], recipients: readonly string[]): boolean {
  const bothSealed = wanted.length > 0 === recipients.length > 0;
  return bothSealed && wanted.every((recipient) => recipients.includes(recipient));
}

async function findAgain(store: Store, tree: TreeRef, known: KnownChunks): Promise<TreeRef> {
  const numbers = new Set<number>();
  for await (const segment of readSegments(store, [tree])) {
    if (segment instanceof DamagedError) throw segment;
    for (const { chunks = [] } of segment.entries) {
      for (const chunk of chunks) {
        const number = known.numberOf(chunk);
        if (number < 0) throw new DamagedError(`the chunk ${chunk} is in no pack that is whole`);
        numbers.add(number);
      }
    }
  }
  const packs = known.packsOf(numbers);
  return { ...tree, packs: packs.map((pack) => ({ ...pack, source: pack.source || tree.source })) };
}
