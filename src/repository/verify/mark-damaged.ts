import { listBlobs } from '../../oci/layout-blobs.ts';
import type { Store } from '../seal/store.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { blobsOf, type StoredSnapshot } from '../snapshot/stored.ts';
import { readDamage } from './damage-record.ts';

/**
 * These snapshots, each marked as damaged of which that is known without reading it: a file that it needs is missing,
 * or the last check on this host found one that is not as it should be.
 */
export async function markDamaged(
  store: Store,
  stored: readonly StoredSnapshot[],
  stateDir: string,
): Promise<Snapshot[]> {
  const present = new Set(await listBlobs(store));
  const known = await readDamage(stateDir, store.directory);
  const good = present.difference(known);
  return stored.map((one) => {
    const isWhole = blobsOf(one).every(({ digest }) => good.has(digest));
    return isWhole ? one.snapshot : { ...one.snapshot, damaged: true };
  });
}
