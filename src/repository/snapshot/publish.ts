import { publishBlob, type StagedBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import { publishIndex, stageIndex } from '../../oci/layout-index.ts';
import type { Store } from '../seal/store.ts';
import { encodeNextIndex, type Indexed } from './index-json.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The commit: makes a snapshot visible whose other blobs are in place and synced. The next `index.json` is on the disk
 * before the manifest, as `docs/backup-format.md` promises.
 *
 * @param stored every other snapshot
 */
export async function publishSnapshot(
  store: Store,
  stored: readonly Indexed[],
  snapshot: Snapshot,
  manifest: StagedBlob,
): Promise<void> {
  await stageIndex(store, await encodeNextIndex(store, [...stored, { snapshot, manifest }]));
  await publishBlob(store, manifest);
  await syncBlobs(store);
  await publishIndex(store);
}
