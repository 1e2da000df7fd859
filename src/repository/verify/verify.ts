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
import { checkPacks, drawPacks } from './check-packs.ts';
import { checkSignatures } from './check-signatures.ts';
import { checkTrees } from './check-trees.ts';
import type { DamagedBlobs } from './damage-record.ts';
import { DamageReport } from './damage-report.ts';
import { openedSnapshots } from './opened-snapshots.ts';
import { recallDamage } from './recall-damage.ts';
import type { Verifying } from './verifying.ts';

/** Which blobs are not as they should be, besides the report. */
export interface Verification extends VerifyReport {
  damaged: DamagedBlobs;
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
    const packs = readData ? await checkContent(verifying, part) : undefined;
    if (packs === undefined) await recallDamage(verifying, new Set());
    await found.nameSpoiled();
    const damaged = { all: found.blobs, inside: found.inside };
    return {
      snapshots: catalog.stored.length,
      ...read,
      damage: found.damage,
      damaged,
      ...(packs && { packs }),
    };
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

/** What is in packs and trees; of what is not read this time, what an earlier check found. */
async function checkContent(verifying: Verifying, part: number): Promise<VerifyReport['packs']> {
  const { opened } = verifying;
  const drawn = drawPacks(opened, part);
  const packs = await checkPacks(verifying, drawn);
  const all = new Set(opened.flatMap(blobsOf).map(({ digest }) => digest));
  await recallDamage(verifying, part === 1 ? all : drawn);
  await checkEveryTree(verifying);
  return packs;
}

async function checkEveryTree({ store, opened, found }: Verifying): Promise<void> {
  for (const stored of opened) {
    if (blobsOf(stored).some(({ digest }) => found.blobs.has(digest))) continue;
    found.damage.push(...(await checkTrees(store, stored)));
  }
}
