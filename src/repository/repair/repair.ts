import { rename } from 'node:fs/promises';
import type { Digest } from '../../oci/digest.ts';
import { blobPath, rewriteLayoutVersion } from '../../oci/layout.ts';
import { blobSize, listBlobs, syncBlobs } from '../../oci/layout-blobs.ts';
import { publishIndex, readIndex, stageIndex } from '../../oci/layout-index.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, SignatureError } from '../../support/errors.ts';
import type { RepairOptions, RepairReport } from '../repository.ts';
import { recoverStaging } from '../run/recover-staging.ts';
import type { Store } from '../seal/store.ts';
import { type LostSnapshot, loadEverySnapshot } from '../snapshot/catalog.ts';
import { encodeNextIndex, encodeSnapshotIndex } from '../snapshot/index-json.ts';
import { inOrderOfMaking } from '../snapshot/order.ts';
import { shortId } from '../snapshot/short-id.ts';
import { blobsOf, packsOf, type StoredSnapshot } from '../snapshot/stored.ts';
import type { DamagedBlobs } from '../verify/damage-record.ts';
import { verifyRepository } from '../verify/verify.ts';
import { asidePath } from './aside-path.ts';
import { goOnUnsigned } from './lost-signatures.ts';
import { type Findings, mendSnapshot, salvageSnapshot } from './mend.ts';
import { partsOfLost, rebuildConfigs } from './rebuild-configs.ts';
import { rebuildIndexes, type SpareIndex } from './rebuild-indexes.ts';
import { findIndexes, type Revived, reviveSnapshots } from './revive.ts';

/** What is left damaged where it was, besides the report. */
export interface Repair extends RepairReport {
  damaged: DamagedBlobs;
}

/**
 * Makes of a damaged repository what can still be made of it: finds content that was stored again, writes indexes anew
 * from the packs, manifests from the configs, and configs from the manifests. A damaged pack that a snapshot needs all
 * the same stays where it is, for most of it can be read. A snapshot that nobody can read stays named in `index.json`,
 * and so nothing is removed, until it is given up. Both locks are held.
 */
export async function repairRepository(
  store: Store,
  context: Context,
  { giveUp = false }: RepairOptions,
): Promise<Repair> {
  await recoverStaging(store);
  const { rebuilt, setAside } = await rebuildConfigs(store, context);
  const { damaged, damage } = await verifyRepository(store, {}, context);
  const inUse = await packsInUse(store);
  const packs = damaged.all.intersection(inUse);
  setAside.push(...(await setDamagedAside(store, damaged.all.difference(packs))));
  const { stored, mended, waiting } = await mendAll(store, packs, context);
  const lost = [...(await loadEverySnapshot(store)).damaged, ...waiting.map(lostOf)];
  if (giveUp) setAside.push(...(await setDamagedAside(store, new Set(lost.map(({ manifest }) => manifest)))));
  const kept = giveUp ? stored : inOrderOfMaking([...stored, ...waiting]);
  await writeIndex(store, giveUp ? encodeSnapshotIndex(kept) : await encodeNextIndex(store, kept));
  const needed = packsOf(kept).union(await packsInUse(store));
  setAside.push(...(await setDamagedAside(store, packs.difference(needed))));
  const unreadable = lost.map(({ id }) => id);
  const givenUp = new Set(giveUp ? unreadable : []);
  const hurt = new Set([...damage.flatMap(({ snapshots }) => snapshots), ...unreadable]);
  const spoiled = hurt.difference(await wholeAmong(store, stored, packs)).difference(givenUp);
  const left = packs.intersection(needed);
  return {
    snapshots: stored.length,
    setAside,
    mended: mended.filter((id) => !spoiled.has(id)),
    rebuilt,
    givenUp: [...givenUp],
    spoiled: [...spoiled],
    damaged: { all: left, inside: left.intersection(damaged.inside) },
  };
}

function lostOf({ manifest, snapshot }: StoredSnapshot): Pick<LostSnapshot, 'manifest' | 'id'> {
  return { manifest: manifest.digest, id: snapshot.id };
}

/** Those that a manifest names, be its config lost or not, or that an index tells of which no manifest names. */
async function packsInUse(store: Store): Promise<Set<Digest>> {
  const { stored, damaged } = await loadEverySnapshot(store);
  const lost = await Promise.all(damaged.map((snapshot) => partsOfLost(store, snapshot)));
  const known = new Set<Digest>(stored.flatMap(blobsOf).map(({ digest }) => digest));
  const orphans = (await listBlobs(store)).filter((digest) => !known.has(digest));
  const spare = damaged.length === 0 ? [] : await findIndexes(store, orphans);
  const named = [...lost, ...spare].flatMap((parts) => parts?.packs ?? []);
  return packsOf(stored).union(new Set(named.map(({ digest }) => digest)));
}

interface Mended {
  stored: StoredSnapshot[];
  /** Ids. */
  mended: string[];
  /** Lost without their manifests, until somebody comes with the key: `index.json` goes on naming them. */
  waiting: StoredSnapshot[];
}

async function mendAll(store: Store, damaged: ReadonlySet<Digest>, context: Context): Promise<Mended> {
  const catalog = await loadEverySnapshot(store);
  const rebuilt = await rebuildIndexes(store, catalog.stored, damaged, context);
  const revived = await reviveSnapshots(store, catalog);
  await nameRevived(store, catalog.stored, revived);
  let { stored, mended } = await goOnUnsigned(store, catalog.stored, context);
  const waiting: StoredSnapshot[] = [];
  const mend = async (broken: StoredSnapshot, among: StoredSnapshot[], spare: readonly SpareIndex[]) => {
    const after = await tryToMend(store, among, broken, { damaged, spare }, context);
    if (after === 'sealed' || after === 'damaged') return after;
    stored = after;
    mended = [...new Set([...mended, broken.snapshot.id])];
    return 'mended';
  };
  for (const snapshot of stored)
    if (!(await isWhole(store, snapshot, damaged))) await mend(snapshot, stored, rebuilt);
  for (const { stored: lost, spare } of revived) {
    const among = inOrderOfMaking([...stored, lost]);
    const how = await mend(lost, among, [...rebuilt, ...spare]);
    if (how === 'sealed') waiting.push(lost);
    if (how === 'damaged')
      stored = await salvageSnapshot(store, among, lost, { damaged, spare: [...rebuilt, ...spare] });
  }
  return { stored, mended, waiting };
}

/** Whatever is mended first writes `index.json`; one that it does not name would count as removed from then on. */
async function nameRevived(
  store: Store,
  stored: readonly StoredSnapshot[],
  revived: readonly Revived[],
): Promise<void> {
  if (revived.length === 0 || (await readIndex(store)) !== undefined) return;
  const all = inOrderOfMaking([...stored, ...revived.map((each) => each.stored)]);
  await writeIndex(store, encodeSnapshotIndex(all));
}

/** Nothing is deleted: somebody may know how to bring it back. */
async function setDamagedAside(store: Store, damaged: ReadonlySet<Digest>): Promise<string[]> {
  const present = new Set(await listBlobs(store));
  const setAside: string[] = [];
  for (const digest of damaged) {
    if (!present.has(digest)) continue;
    const path = asidePath(store, digest);
    await rename(blobPath(store, digest), path);
    setAside.push(path);
  }
  if (setAside.length > 0) await syncBlobs(store);
  return setAside;
}

/** @returns their ids */
async function wholeAmong(
  store: Store,
  stored: readonly StoredSnapshot[],
  damaged: ReadonlySet<Digest>,
): Promise<Set<string>> {
  const whole = new Set<string>();
  for (const snapshot of stored) if (await isWhole(store, snapshot, damaged)) whole.add(snapshot.snapshot.id);
  return whole;
}

async function isWhole(
  store: Store,
  snapshot: StoredSnapshot,
  damaged: ReadonlySet<Digest>,
): Promise<boolean> {
  for (const { digest, size } of blobsOf(snapshot))
    if (damaged.has(digest) || (await blobSize(store, digest)) !== size) return false;
  return true;
}

async function tryToMend(
  store: Store,
  stored: readonly StoredSnapshot[],
  snapshot: StoredSnapshot,
  findings: Findings,
  { progress }: Context,
): Promise<StoredSnapshot[] | 'sealed' | 'damaged'> {
  try {
    return await mendSnapshot(store, stored, snapshot, findings);
  } catch (error) {
    if (!(error instanceof DamagedError || error instanceof SignatureError)) throw error;
    const { id, recipients } = snapshot.snapshot;
    const isSealed = error instanceof SignatureError;
    const why = isSealed
      ? ` without the private key of ${recipients.join(' or ')}: give it with --identity FILE`
      : `: ${error.message}`;
    progress.warn(`snapshot ${shortId(id)} cannot be mended${why}`);
    return isSealed ? 'sealed' : 'damaged';
  }
}

async function writeIndex(store: Store, text: string): Promise<void> {
  await stageIndex(store, text);
  await publishIndex(store);
  await rewriteLayoutVersion(store);
}
