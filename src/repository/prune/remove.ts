import { unlink } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import { blobPath, clearStaging, type Layout } from '../../oci/layout.ts';
import { blobSize, listBlobs, syncBlobs } from '../../oci/layout-blobs.ts';
import { publishIndex, stageIndex } from '../../oci/layout-index.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, InterruptedError } from '../../support/errors.ts';
import type { RemovalReport } from '../repository.ts';
import type { Store } from '../seal/store.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { encodeSnapshotIndex } from '../snapshot/index-json.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import { blobsOf, type StoredSnapshot } from '../snapshot/stored.ts';
import { writeError } from '../write-error.ts';
import { repack } from './repack.ts';

/**
 * Removes snapshots, and every blob that those that stay do not need. Both locks are held. Killed at any point it
 * leaves whole snapshots only, and can be run again.
 * @param ids full ids of snapshots in the catalog
 */
export async function removeSnapshots(
  store: Store,
  catalog: Catalog,
  ids: ReadonlySet<string>,
  context: Context,
): Promise<RemovalReport> {
  refuseBlindSweep(store, catalog.damaged.length);
  const report: RemovalReport = { snapshots: [], blobs: 0, bytes: 0, rewritten: { packs: 0, bytes: 0 } };
  const remaining = await removeManifests(store, catalog, ids, report);
  await sweep(store, remaining, report);
  const rewritten = await rewriteWasteful(store, remaining, report, context);
  if (rewritten !== undefined) await sweep(store, rewritten, report);
  return report;
}

/** @returns the snapshots that stay */
async function removeManifests(
  store: Store,
  { stored, superseded }: Catalog,
  ids: ReadonlySet<string>,
  report: RemovalReport,
): Promise<StoredSnapshot[]> {
  const count = ({ size }: BlobRef) => {
    report.blobs++;
    report.bytes += size;
  };
  // Once the other is gone, one of these would pass for its snapshot again.
  for (const manifest of superseded) {
    await unlink(blobPath(store, manifest.digest));
    count(manifest);
  }
  let remaining = stored;
  for (const snapshot of stored.filter(({ snapshot: { id } }) => ids.has(id))) {
    store.throwIfInterrupted?.();
    remaining = remaining.filter((other) => other !== snapshot);
    await removeManifest(store, snapshot, remaining);
    report.snapshots.push(snapshot.snapshot.id);
    count(snapshot.manifest);
  }
  return remaining;
}

/** A matter of thrift: where it cannot be done the snapshots are removed all the same. */
async function rewriteWasteful(
  store: Store,
  stored: readonly StoredSnapshot[],
  report: RemovalReport,
  context: Context,
): Promise<StoredSnapshot[] | undefined> {
  try {
    const repacked = await repack(store, stored, context);
    if (repacked === undefined) return undefined;
    report.rewritten = { packs: repacked.packs, bytes: repacked.bytes };
    return repacked.stored;
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    const { message } = writeError(store.directory, error);
    context.progress.warn(`packs that are mostly unused were left as they are: ${message}`);
    return undefined;
  } finally {
    await clearStaging(store);
  }
}

/** What a snapshot that cannot be read needs is not known, and might be all that is left of it. */
function refuseBlindSweep({ directory }: Layout, damaged: number): void {
  if (damaged === 0) return;
  throw new DamagedError(
    `removing snapshots from ${directory}: ${damaged} cannot be read, so nothing is removed`,
    {
      advice:
        'dockerctl backup verify names what is damaged: bring it back from a copy, or run dockerctl backup repair (--give-up forgets it)',
    },
  );
}

/** The next index is on the disk before the manifest goes: whoever finds both knows which of them counts. */
async function removeManifest(
  layout: Layout,
  { manifest }: StoredSnapshot,
  remaining: readonly StoredSnapshot[],
): Promise<void> {
  await stageIndex(layout, encodeSnapshotIndex(remaining));
  await unlink(blobPath(layout, manifest.digest));
  await syncBlobs(layout);
  await publishIndex(layout);
}

/** One file that cannot be deleted keeps no other. */
async function sweep(
  store: Store,
  remaining: readonly StoredSnapshot[],
  report: RemovalReport,
): Promise<void> {
  const needed = new Set<Digest>(remaining.flatMap(blobsOf).map(({ digest }) => digest));
  let refusal: unknown;
  for (const digest of await listBlobs(store)) {
    if (needed.has(digest)) continue;
    store.throwIfInterrupted?.();
    const size = (await blobSize(store, digest)) ?? 0;
    try {
      await unlink(blobPath(store, digest));
    } catch (error) {
      refusal ??= error;
      continue;
    }
    report.bytes += size;
    report.blobs++;
  }
  await syncBlobs(store);
  if (refusal !== undefined)
    throw writeError(store.directory, refusal, `deleting what no snapshot needs from ${store.directory}`);
}
