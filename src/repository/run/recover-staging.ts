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
    const kept = new Set(staged.manifests.map(({ digest }) => digest));
    const toBeRemoved = ((await readIndex(store))?.manifests ?? []).filter(({ digest }) => !kept.has(digest));
    const isWhole = [...kept].every((digest) => present.has(digest));
    if (isWhole && !toBeRemoved.some(({ digest }) => present.has(digest))) await publishIndex(store);
  }
  await clearStaging(store);
}
