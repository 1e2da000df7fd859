import type { Digest } from '../../oci/digest.ts';
import { collectOften } from '../../support/collect-often.ts';
import type { Context } from '../../support/context.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { VerifyOptions, VerifyReport } from '../repository.ts';
import { recallingStore } from '../seal/remembering-store.ts';
import type { Store } from '../seal/store.ts';
import { type Catalog, loadEverySnapshot } from '../snapshot/catalog.ts';
import { blobsOf } from '../snapshot/stored.ts';
import { checkBlobs } from './check-blobs.ts';
import { checkIndex } from './check-index.ts';
import { checkPacks } from './check-packs.ts';
import { checkSignatures } from './check-signatures.ts';
import { checkTrees } from './check-trees.ts';
import { DamageReport } from './damage-report.ts';
import { openedSnapshots } from './opened-snapshots.ts';
import { throwIfInterrupted, type Verifying } from './verifying.ts';

/** Which blobs are not as they should be, besides the report. */
export interface Verification extends VerifyReport {
  damagedBlobs: Set<Digest>;
}

/**
 * Checks every file of the repository against its digest and every snapshot for what it needs; with `readData` also
 * every chunk in every pack, and that trees name only chunks that are there. Damage is reported, not thrown.
 */
export async function verifyRepository(
  store: Store,
  { readData = false, part = 1 }: VerifyOptions,
  context: Context,
): Promise<Verification> {
  const catalog = await loadEverySnapshot(store);
  const opened = readData ? openedSnapshots(store, catalog, context) : [];
  collectOften();
  const found = new DamageReport(await recallingStore(store, catalog.stored, context.stateDir), catalog);
  const task = beginTask(catalog, readData ? part : 0, context);
  const verifying = { store, catalog, opened, found, task, context };
  try {
    const read = await checkBlobs(verifying);
    await checkSignatures(store, catalog, found);
    found.damage.push(...(await checkIndex(store, catalog)));
    const packs = readData ? await checkPacks(verifying, part) : undefined;
    if (readData) await checkContents(verifying);
    const { damage, blobs: damagedBlobs } = found;
    return { snapshots: catalog.stored.length, ...read, damage, damagedBlobs, ...(packs && { packs }) };
  } finally {
    task.end();
  }
}

/** @param part share of the content that is read besides */
function beginTask({ stored }: Catalog, part: number, context: Context): ProgressTask {
  const sizes = new Map(stored.flatMap(blobsOf).map(({ digest, size }) => [digest, size]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const total = Math.round(bytes * (1 + part));
  return context.progress.begin('verifying', { unit: 'bytes', total });
}

async function checkContents({ store, opened, found, context }: Verifying): Promise<void> {
  for (const stored of opened) {
    throwIfInterrupted(context);
    if (blobsOf(stored).some(({ digest }) => found.blobs.has(digest))) continue;
    found.damage.push(...(await checkTrees(store, stored)));
  }
}
