import type { Index } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { clearStaging, requireOwnDirectories } from '../../oci/layout.ts';
import { listBlobs } from '../../oci/layout-blobs.ts';
import { publishIndex, readIndex, readStagedIndex } from '../../oci/layout-index.ts';
import type { Store } from '../seal/store.ts';

/**
 * Finishes a commit, or the removal of a snapshot, that was cut short between its manifest and `index.json`, then
 * sweeps what dead runs left.
 * @throws {DamagedError} when that is not the repository's own
 */
export async function recoverStaging(store: Store): Promise<void> {
  await requireOwnDirectories(store);
  const staged = await readStagedIndex(store);
  if (staged !== undefined) {
    const present = new Set(await listBlobs(store));
    const next = namesOf(staged);
    const named = namesOf(await readIndex(store));
    // One that both name may be lost: that is no reason not to finish.
    const isAdded = [...next.difference(named)].every((digest) => present.has(digest));
    if (isAdded && named.difference(next).isDisjointFrom(present)) await publishIndex(store);
  }
  await clearStaging(store);
}

function namesOf(index: Index | undefined): Set<Digest> {
  return new Set(index?.manifests.map(({ digest }) => digest));
}
