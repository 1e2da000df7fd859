import { randomInt } from 'node:crypto';
import type { Digest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { listBlobs } from '../../oci/layout-blobs.ts';
import { collectOften } from '../../support/collect-often.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, InterruptedError, SignatureError } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { Damage, VerifyOptions, VerifyReport } from '../repository.ts';
import { knownRepository } from '../seal/known-repository.ts';
import { PlainCache } from '../seal/plain-cache.ts';
import type { Store } from '../seal/store.ts';
import { type Catalog, loadEverySnapshot } from '../snapshot/catalog.ts';
import { blobsOf } from '../snapshot/stored.ts';
import { checkIndex } from './check-index.ts';
import { checkPack, readPackContents } from './check-pack.ts';
import { checkTrees } from './check-trees.ts';
import { hashBlob } from './hash-blob.ts';
import { filesOfLostSnapshot } from './lost-snapshot.ts';
import { spoiledFiles } from './spoiled-files.ts';

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
  if (readData) requireKey(store, catalog);
  collectOften();
  const report: Verification = {
    snapshots: catalog.stored.length,
    blobs: 0,
    bytes: 0,
    damage: [],
    damagedBlobs: new Set(),
  };
  const remembering = await rememberingStore(store, catalog, context);
  const task = beginTask(catalog, readData ? part : 0, context);
  try {
    await checkBlobs(store, remembering, catalog, report, task, context);
    report.damage.push(...(await checkIndex(store, catalog)));
    if (readData) {
      report.packs = await checkPacks({ store, remembering, catalog, report, task, part }, context);
      await checkContents(store, catalog, report, context);
    }
  } finally {
    task.end();
  }
  return report;
}

/** What is sealed cannot be looked into; better to say so before hours of reading. */
function requireKey({ directory, identities }: Store, { stored }: Catalog): void {
  const sealed = stored.find(({ snapshot }) => snapshot.recipients.length > 0);
  if (sealed === undefined || identities.length > 0) return;
  throw new SignatureError(
    `reading the data in ${directory}: it is encrypted, and no private key is at hand`,
    {
      advice: 'Name one with --identity FILE, or check digests only, which needs none',
    },
  );
}

/** With what this host remembers of its own backups: it decides nothing, but it knows names where no key is at hand. */
async function rememberingStore(store: Store, { stored }: Catalog, { stateDir }: Context): Promise<Store> {
  const repository = await knownRepository(stateDir, stored);
  if (repository === undefined) return store;
  const cache = new PlainCache(stateDir, repository);
  return (await cache.digests()).size > 0 ? { ...store, cache } : store;
}

/** @param part share of the content that is read besides */
function beginTask({ stored }: Catalog, part: number, context: Context): ProgressTask {
  const sizes = new Map(stored.flatMap(blobsOf).map(({ digest, size }) => [digest, size]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const total = Math.round(bytes * (1 + part));
  return context.progress.begin('verifying', { unit: 'bytes', total });
}

async function checkBlobs(
  store: Store,
  remembering: Store,
  catalog: Catalog,
  report: Verification,
  task: ProgressTask,
  context: Context,
): Promise<void> {
  const present = new Set(await listBlobs(store));
  for (const digest of present) {
    throwIfInterrupted(context);
    const { got, size } = await hashBlob(blobPath(store, digest), (bytes) => task.advance(bytes));
    report.blobs++;
    report.bytes += size;
    if (got === digest) continue;
    const message = 'the bytes of this blob are not what its name says';
    await addDamage(remembering, catalog, report, { digest, message, got });
  }
  const needed = new Map(catalog.stored.flatMap(blobsOf).map((blob) => [blob.digest, blob]));
  for (const { manifest } of catalog.damaged) needed.set(manifest, { digest: manifest, size: 0 });
  for (const { digest } of needed.values()) {
    if (present.has(digest)) continue;
    await addDamage(remembering, catalog, report, {
      digest,
      message: 'this blob is missing',
      got: undefined,
    });
  }
  for (const { manifest, error } of catalog.damaged) {
    if (report.damagedBlobs.has(manifest)) continue;
    await addDamage(remembering, catalog, report, {
      digest: manifest,
      message: error.message,
      got: undefined,
    });
  }
}

interface Checking {
  store: Store;
  remembering: Store;
  catalog: Catalog;
  report: Verification;
  task: ProgressTask;
  part: number;
}

async function checkPacks(
  { store, remembering, catalog, report, task, part }: Checking,
  context: Context,
): Promise<NonNullable<VerifyReport['packs']>> {
  const packs = new Set(catalog.stored.flatMap(({ parts }) => parts.packs.map(({ digest }) => digest)));
  const drawn = draw([...packs], Math.ceil(packs.size * part));
  for await (const contents of readPackContents(store, catalog.stored)) {
    throwIfInterrupted(context);
    if (!drawn.has(contents.pack) || report.damagedBlobs.has(contents.pack)) continue;
    const wrong = await checkPack(store, contents);
    task.advance(contents.size);
    if (wrong === undefined) continue;
    await addDamage(remembering, catalog, report, { digest: contents.pack, message: wrong, got: undefined });
  }
  return { read: drawn.size, all: packs.size };
}

/** So many of them, each as likely as any other. */
function draw<T>(all: T[], count: number): Set<T> {
  return new Set(Array.from({ length: count }, () => all.splice(randomInt(all.length), 1)[0]!));
}

async function checkContents(
  store: Store,
  catalog: Catalog,
  report: Verification,
  context: Context,
): Promise<void> {
  for (const stored of catalog.stored) {
    throwIfInterrupted(context);
    if (blobsOf(stored).some(({ digest }) => report.damagedBlobs.has(digest))) continue;
    report.damage.push(...(await checkTrees(store, stored)));
  }
}

async function addDamage(
  store: Store,
  catalog: Catalog,
  report: Verification,
  { digest, message, got }: { digest: Digest; message: string; got: Digest | undefined },
): Promise<void> {
  const spoiled = catalog.stored.filter((stored) => blobsOf(stored).some((blob) => blob.digest === digest));
  const lost = catalog.damaged.filter(({ manifest, id }) => manifest === digest || id === digest);
  const ids = new Set([...spoiled.map(({ snapshot }) => snapshot.id), ...lost.map(({ id }) => id)]);
  const path = blobPath(store, digest);
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
  if (spoiled.length > 0)
    damage.files = await spoiledFiles(store, spoiled, catalog.stored, digest).catch(unlessSealed);
  for (const snapshot of lost) damage.files.push(...(await filesOfLostSnapshot(store, snapshot)));
}

/** Without a key it is known what is spoiled, but not its name. */
function unlessSealed(error: unknown): string[] {
  if (error instanceof DamagedError || error instanceof SignatureError) return [];
  throw error;
}

function throwIfInterrupted({ signal }: Context): void {
  if (signal.aborted) throw new InterruptedError('verifying: interrupted; nothing was changed');
}
