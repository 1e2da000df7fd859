import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { KnownChunks } from '../packs/known-chunks.ts';
import { loadKnownChunks } from '../packs/load-known.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import { reissueManifests } from '../rewrite/reissue.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/load.ts';
import type { TreeRef } from '../snapshot/manifest.ts';
import { readSegments } from '../tree/read-tree.ts';

/**
 * Lets a snapshot find its content in other packs than those it lost: a later backup of the same files stored it again.
 * @returns all snapshots as they are then
 * @throws {DamagedError} when some of it is nowhere @throws {SignatureError} when it is sealed and no key is at hand
 */
export async function mendSnapshot(
  store: Store,
  stored: readonly StoredSnapshot[],
  broken: StoredSnapshot,
): Promise<StoredSnapshot[]> {
  const indexes = donorsFor(broken, stored).flatMap(({ parts }) => parts.indexes);
  const usable = new UsablePacks(store, indexes, new Set());
  const { known, seed } = await loadKnownChunks(store, indexes, usable);
  const places = new Map<Digest, TreeRef>();
  for (const tree of broken.parts.trees) {
    if (!(await usable.all(tree.packs))) places.set(tree.digest, await findAgain(store, tree, known));
  }
  return reissueManifests(
    { store, stored, usable, seed: seed ?? new Uint8Array(32) },
    new Map([[broken, places]]),
  );
}

/** Snapshots whose content all recipients of the broken one can open; the newest first. */
function donorsFor({ snapshot }: StoredSnapshot, stored: readonly StoredSnapshot[]): StoredSnapshot[] {
  const isSealed = snapshot.recipients.length > 0;
  return stored
    .filter((other) => {
      if (other.snapshot.recipients.length > 0 !== isSealed) return false;
      return snapshot.recipients.every((recipient) => other.snapshot.recipients.includes(recipient));
    })
    .reverse();
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
  return { ...tree, packs: known.packsOf(numbers) };
}
