import type { Digest } from '../../oci/digest.ts';
import { blobPath, type Layout, listBlobs, readIndex } from '../../oci/layout.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, InterruptedError } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { Damage, VerifyOptions, VerifyReport } from '../repository.ts';
import { type Catalog, loadAll, type StoredSnapshot, scanForManifests } from '../snapshot/load.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import { checkIndex } from './check-index.ts';
import { checkPack, readPackContents } from './check-pack.ts';
import { checkTrees } from './check-trees.ts';
import { hashBlob } from './hash-blob.ts';
import { filesInPack, filesInTree } from './spoiled-files.ts';

/** Which blobs are not as they should be, besides the report. */
export interface Verification extends VerifyReport {
  damagedBlobs: Set<Digest>;
}

/**
 * Checks every file of the repository against its digest and every snapshot for what it needs; with `readData` also
 * every chunk in every pack, and that trees name only chunks that are there. Damage is reported, not thrown.
 */
export async function verifyRepository(
  layout: Layout,
  { readData = false }: VerifyOptions,
  context: Context,
): Promise<Verification> {
  const catalog = await loadEverySnapshot(layout);
  const report: Verification = {
    snapshots: catalog.stored.length,
    blobs: 0,
    bytes: 0,
    damage: [],
    damagedBlobs: new Set(),
  };
  const task = beginTask(catalog, readData, context);
  try {
    await checkBlobs(layout, catalog, report, task, context);
    report.damage.push(...(await checkIndex(layout, catalog)));
    if (readData) await checkData(layout, catalog, report, task, context);
  } finally {
    task.end();
  }
  return report;
}

/** What `index.json` names and what else is there. */
async function loadEverySnapshot(layout: Layout): Promise<Catalog> {
  const named = (await readIndex(layout))?.manifests.map(({ digest }) => digest) ?? [];
  return loadAll(layout, [...new Set([...named, ...(await scanForManifests(layout))])]);
}

function beginTask({ stored }: Catalog, readData: boolean, context: Context): ProgressTask {
  const sizes = new Map(stored.flatMap(blobsOf).map(({ digest, size }) => [digest, size]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const total = readData ? bytes * 2 : bytes;
  return context.progress.begin('verifying', { unit: 'bytes', total });
}

async function checkBlobs(
  layout: Layout,
  catalog: Catalog,
  report: Verification,
  task: ProgressTask,
  context: Context,
): Promise<void> {
  const present = new Set(await listBlobs(layout));
  for (const digest of present) {
    throwIfInterrupted(context);
    const { got, size } = await hashBlob(blobPath(layout, digest), (bytes) => task.advance(bytes));
    report.blobs++;
    report.bytes += size;
    if (got === digest) continue;
    const message = 'the bytes of this blob are not what its name says';
    await addDamage(layout, catalog, report, { digest, message, got });
  }
  const needed = new Map(catalog.stored.flatMap(blobsOf).map((blob) => [blob.digest, blob]));
  for (const { manifest } of catalog.damaged) needed.set(manifest, { digest: manifest, size: 0 });
  for (const { digest } of needed.values()) {
    if (present.has(digest)) continue;
    await addDamage(layout, catalog, report, { digest, message: 'this blob is missing', got: undefined });
  }
  for (const { manifest, error } of catalog.damaged) {
    if (report.damagedBlobs.has(manifest)) continue;
    await addDamage(layout, catalog, report, { digest: manifest, message: error.message, got: undefined });
  }
}

async function checkData(
  layout: Layout,
  catalog: Catalog,
  report: Verification,
  task: ProgressTask,
  context: Context,
): Promise<void> {
  for (const contents of await readPackContents(layout, catalog.stored)) {
    throwIfInterrupted(context);
    if (report.damagedBlobs.has(contents.pack)) continue;
    const wrong = await checkPack(layout, contents);
    task.advance(contents.size);
    if (wrong === undefined) continue;
    await addDamage(layout, catalog, report, { digest: contents.pack, message: wrong, got: undefined });
  }
  for (const stored of catalog.stored) {
    throwIfInterrupted(context);
    if (blobsOf(stored).some(({ digest }) => report.damagedBlobs.has(digest))) continue;
    report.damage.push(...(await checkTrees(layout, stored)));
  }
}

async function addDamage(
  layout: Layout,
  catalog: Catalog,
  report: Verification,
  { digest, message, got }: { digest: Digest; message: string; got: Digest | undefined },
): Promise<void> {
  const spoiled = catalog.stored.filter((stored) => blobsOf(stored).some((blob) => blob.digest === digest));
  const lost = catalog.damaged.filter(({ manifest, id }) => manifest === digest || id === digest);
  const ids = new Set([...spoiled.map(({ snapshot }) => snapshot.id), ...lost.map(({ id }) => id)]);
  const path = blobPath(layout, digest);
  const damage: Damage = {
    message: `${path}: ${message}`,
    path,
    got,
    want: digest,
    snapshots: [...ids],
    files: [],
  };
  report.damagedBlobs.add(digest);
  report.damage.push(damage);
  if (spoiled.length > 0) damage.files = await spoiledFiles(layout, spoiled, digest);
}

async function spoiledFiles(layout: Layout, spoiled: StoredSnapshot[], digest: Digest): Promise<string[]> {
  try {
    return [...(await filesInPack(layout, spoiled, digest)), ...(await filesInTree(layout, spoiled, digest))];
  } catch (error) {
    if (error instanceof DamagedError) return [];
    throw error;
  }
}

/** Every blob that a snapshot needs, its manifest among them. */
export function blobsOf({ manifest, parts }: StoredSnapshot): BlobRef[] {
  const notes = parts.notes === undefined ? [] : [parts.notes];
  return [manifest, parts.config, ...parts.packs, ...parts.indexes, ...parts.trees, ...notes];
}

function throwIfInterrupted({ signal }: Context): void {
  if (signal.aborted) throw new InterruptedError('verifying: interrupted; nothing was changed');
}
