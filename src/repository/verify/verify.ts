import { randomInt } from 'node:crypto';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/layout.ts';
import { listBlobs } from '../../oci/layout-blobs.ts';
import { collectOften } from '../../support/collect-often.ts';
import type { Context } from '../../support/context.ts';
import { InterruptedError, isUnreadable, messageOf, SignatureError } from '../../support/errors.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { VerifyOptions, VerifyReport } from '../repository.ts';
import { knownRepository } from '../seal/known-repository.ts';
import { PlainCache } from '../seal/plain-cache.ts';
import type { Store } from '../seal/store.ts';
import { type Catalog, type LostSnapshot, loadEverySnapshot } from '../snapshot/catalog.ts';
import { blobsOf } from '../snapshot/stored.ts';
import { checkIndex } from './check-index.ts';
import { checkPack, readPackContents } from './check-pack.ts';
import { checkSignatures } from './check-signatures.ts';
import { checkTrees } from './check-trees.ts';
import { DamageReport } from './damage-report.ts';
import { hashBlob } from './hash-blob.ts';

/** Which blobs are not as they should be, besides the report. */
export interface Verification extends VerifyReport {
  damagedBlobs: Set<Digest>;
}

/** A repository under verification. */
interface Verifying {
  store: Store;
  catalog: Catalog;
  found: DamageReport;
  task: ProgressTask;
  context: Context;
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
  const found = new DamageReport(await rememberingStore(store, catalog, context), catalog);
  const task = beginTask(catalog, readData ? part : 0, context);
  const verifying = { store, catalog, found, task, context };
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

/** Of the blobs that are there, and of those that should be. */
async function checkBlobs(verifying: Verifying): Promise<Pick<VerifyReport, 'blobs' | 'bytes'>> {
  const present = new Set(await listBlobs(verifying.store));
  const bytes = await checkDigests(verifying, present);
  await checkPresence(verifying, present);
  await checkManifests(verifying, present);
  return { blobs: present.size, bytes };
}

/** Returns how many bytes that took to read. */
async function checkDigests(
  { store, found, task, context }: Verifying,
  present: Set<Digest>,
): Promise<number> {
  let bytes = 0;
  for (const digest of present) {
    throwIfInterrupted(context);
    const hashing = hashBlob(blobPath(store, digest), (read) => task.advance(read));
    const { got, size, message } = await hashing.then(
      (read) => ({ ...read, message: 'the bytes of this blob are not what its name says' }),
      unreadable,
    );
    bytes += size;
    if (got !== digest) await found.add({ digest, message, ...(got && { got }) });
  }
  return bytes;
}

/** A disk that fails here may read the rest. */
function unreadable(error: unknown) {
  if (!isUnreadable(error)) throw error;
  return { got: undefined, size: 0, message: `this blob cannot be read: ${messageOf(error)}` };
}

async function checkPresence({ catalog, found }: Verifying, present: Set<Digest>): Promise<void> {
  const named = catalog.stored.flatMap(blobsOf).map(({ digest }) => digest);
  const needed = new Set([...named, ...catalog.damaged.map(({ manifest }) => manifest)]);
  for (const digest of needed) {
    if (!present.has(digest)) await found.add({ digest, message: 'this blob is missing' });
  }
}

/** Some are what their name says, and yet none can be made of them. */
async function checkManifests({ catalog, found }: Verifying, present: ReadonlySet<Digest>): Promise<void> {
  for (const lost of catalog.damaged) {
    const digest = culpritOf(lost, present, found.blobs);
    const message = present.has(digest) ? lost.error.message : 'this blob is missing';
    if (!found.blobs.has(digest)) await found.add({ digest, message });
  }
}

/** What is wrong with a snapshot that cannot be read: its config, if that is not as it should be, else its manifest. */
function culpritOf(
  { manifest, id }: LostSnapshot,
  present: ReadonlySet<Digest>,
  damaged: ReadonlySet<Digest>,
): Digest {
  return isDigest(id) && (!present.has(id) || damaged.has(id)) ? id : manifest;
}

async function checkPacks(
  { store, catalog, found, task, context }: Verifying,
  part: number,
): Promise<NonNullable<VerifyReport['packs']>> {
  const packs = new Set(catalog.stored.flatMap(({ parts }) => parts.packs.map(({ digest }) => digest)));
  const drawn = draw([...packs], Math.ceil(packs.size * part));
  for await (const contents of readPackContents(store, catalog.stored)) {
    throwIfInterrupted(context);
    if (!drawn.has(contents.pack) || found.blobs.has(contents.pack)) continue;
    const message = await checkPack(store, contents);
    task.advance(contents.size);
    if (message !== undefined) await found.add({ digest: contents.pack, message });
  }
  return { read: drawn.size, all: packs.size };
}

/** So many of them, each as likely as any other. */
function draw<T>(all: T[], count: number): Set<T> {
  return new Set(Array.from({ length: count }, () => all.splice(randomInt(all.length), 1)[0]!));
}

async function checkContents({ store, catalog, found, context }: Verifying): Promise<void> {
  for (const stored of catalog.stored) {
    throwIfInterrupted(context);
    if (blobsOf(stored).some(({ digest }) => found.blobs.has(digest))) continue;
    found.damage.push(...(await checkTrees(store, stored)));
  }
}

function throwIfInterrupted({ signal }: Context): void {
  if (signal.aborted) throw new InterruptedError('verifying: interrupted; nothing was changed');
}
