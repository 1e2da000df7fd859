import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import {
  blobPath,
  blobSize,
  layoutVersion,
  listBlobs,
  publishIndex,
  stageIndex,
  syncBlobs,
} from '../../oci/layout.ts';
import type { Context } from '../../support/context.ts';
import { writeFileDurably } from '../../support/durable.ts';
import { DamagedError, SignatureError } from '../../support/errors.ts';
import type { RepairReport } from '../repository.ts';
import { recoverStaging } from '../run/begin.ts';
import type { Store } from '../seal/store.ts';
import { encodeSnapshotIndex } from '../snapshot/index-json.ts';
import { blobsOf, type Catalog, loadEverySnapshot, type StoredSnapshot } from '../snapshot/load.ts';
import { verifyRepository } from '../verify/verify.ts';
import { mendSnapshot } from './mend.ts';

/** Makes of a damaged repository what can still be made of it. Both locks are held. */
export async function repairRepository(store: Store, context: Context): Promise<RepairReport> {
  await recoverStaging(store);
  const { damagedBlobs, damage } = await verifyRepository(store, {}, context);
  const setAside = await setDamagedAside(store, damagedBlobs);
  let { stored } = await loadEverySnapshot(store);
  const mended: string[] = [];
  for (const snapshot of stored) {
    if (await isWhole(store, snapshot)) continue;
    const after = await tryToMend(store, stored, snapshot, context);
    if (after === undefined) continue;
    stored = after;
    mended.push(snapshot.snapshot.id);
  }
  await writeIndex(store, stored);
  const hurt = new Set(damage.flatMap(({ snapshots }) => snapshots));
  for (const snapshot of stored) if (await isWhole(store, snapshot)) hurt.delete(snapshot.snapshot.id);
  return { snapshots: stored.length, setAside, mended, spoiled: [...hurt] };
}

/** Nothing is deleted: somebody may know how to bring it back. */
async function setDamagedAside(store: Store, damaged: ReadonlySet<Digest>): Promise<string[]> {
  const present = new Set(await listBlobs(store));
  const setAside: string[] = [];
  for (const digest of damaged) {
    if (!present.has(digest)) continue;
    const path = `${blobPath(store, digest)}.damaged`;
    await rename(blobPath(store, digest), path);
    setAside.push(path);
  }
  if (setAside.length > 0) await syncBlobs(store);
  return setAside;
}

async function isWhole(store: Store, snapshot: StoredSnapshot): Promise<boolean> {
  for (const { digest, size } of blobsOf(snapshot))
    if ((await blobSize(store, digest)) !== size) return false;
  return true;
}

async function tryToMend(
  store: Store,
  stored: readonly StoredSnapshot[],
  snapshot: StoredSnapshot,
  { progress }: Context,
): Promise<StoredSnapshot[] | undefined> {
  try {
    return await mendSnapshot(store, stored, snapshot);
  } catch (error) {
    if (!(error instanceof DamagedError || error instanceof SignatureError)) throw error;
    progress.warn(`snapshot ${snapshot.snapshot.id} cannot be mended: ${error.message}`);
    return undefined;
  }
}

async function writeIndex(store: Store, stored: Catalog['stored']): Promise<void> {
  await stageIndex(store, encodeSnapshotIndex(stored));
  await publishIndex(store);
  await writeFileDurably(join(store.directory, 'oci-layout'), layoutVersion);
}
