import { open, unlink } from 'node:fs/promises';
import { type Digest, digestOf, hexOf, verified } from '../../oci/digest.ts';
import { stagingPath } from '../../oci/layout.ts';
import { publishBlob, type StagedBlob, stageBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import { keepReserve } from '../prune/reserve.ts';
import { replaceManifest } from '../rewrite/reissue.ts';
import type { Store } from '../seal/store.ts';
import type { Provenance, TrustedKeys } from '../signed/provenance.ts';
import { beginsLikeManifest } from '../snapshot/catalog.ts';
import { type BlobRef, blobsOfParts, decodeManifest } from '../snapshot/manifest.ts';
import { publishSnapshot } from '../snapshot/publish.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { decodeSnapshot, type StoredSnapshot } from '../snapshot/stored.ts';
import { writeError } from '../write-error.ts';
import { IncomingHead } from './incoming-head.ts';
import { lackingBlobs, requireRoom, whatItBrings } from './lacking-blobs.ts';

/** A snapshot on its way into a repository. Nothing of it is visible before `commit` resolves. */
export interface Incoming {
  /** The same snapshot, when the repository has it already. Then what is lacking was lost, and adding it mends. */
  readonly existing: Snapshot | undefined;
  /** Every blob that it needs but its manifest. */
  readonly needed: readonly BlobRef[];
  /** Those that the repository has not got, in the order of the manifest. */
  readonly lacking: readonly BlobRef[];
  /**
   * Stores one of the lacking; config and signature must come before the rest. Throws `DamagedError` when the bytes are not
   * what the digest says, and keeps nothing of them; `SignatureError` when the snapshot is not by whom it must be, and
   * then nothing at all has been stored.
   */
  add(digest: Digest, content: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Makes it visible. Throws `DamagedError` while anything is lacking, unless a `damaged` snapshot is better than none and its config has
   * come; and `SignatureError` as `add` does.
   */
  commit(options?: { damaged?: boolean }): Promise<{ snapshot: Snapshot; provenance: Provenance }>;
  /** Gives up and releases the lock. What was added stays for the next attempt, or until the next removal. */
  abandon(): Promise<void>;
}

export interface IncomingOptions {
  store: Store;
  /** Every snapshot that is here, oldest first. */
  stored: readonly StoredSnapshot[];
  /** Blobs that a check found damaged. */
  damaged: ReadonlySet<Digest>;
  manifest: Buffer;
  /** Whose snapshots are taken in. */
  keys: TrustedKeys;
  /** Called once, however it ends. */
  onEnd(): void;
}

/**
 * Takes in a snapshot that was made elsewhere; the exclusive lock is held. Each blob is checked while it is written, and stays
 * when the rest does not come: who sends again sends only what is missing. The manifest comes last, so nothing shows
 * before everything is there.
 *
 * @throws {DamagedError} when `manifest` is not the manifest of a snapshot. @throws {NoSpaceError} before anything is written.
 */
export async function beginIncoming(options: IncomingOptions): Promise<Incoming> {
  const { store, stored, manifest } = options;
  const parts = decodeManifest(manifest, 'the manifest of the incoming snapshot');
  const existing = stored.find(({ snapshot }) => snapshot.id === parts.config.digest);
  const { wanted, tells, brings } = whatItBrings(parts, digestOf(manifest), existing);
  const lacking = await lackingBlobs(wanted, options);
  await requireRoom(store, lacking);
  const awaited = new Map(lacking.map((blob) => [blob.digest, blob]));
  const head = new IncomingHead(store, tells, options.keys);
  let active = true;

  async function check(): Promise<Provenance> {
    const { provenance, held } = await head.check();
    for (const [digest, bytes] of held) await writeBlob(store, awaited.get(digest)!, [bytes]);
    for (const [digest] of held) awaited.delete(digest);
    return provenance;
  }

  async function end(): Promise<void> {
    if (active) options.onEnd();
    active = false;
  }

  return {
    existing: existing?.snapshot,
    needed: blobsOfParts(parts),
    lacking,

    async add(digest, content): Promise<void> {
      const blob = awaited.get(digest);
      if (blob === undefined) throw new DamagedError(`taking in ${digest}: nobody asked for it`);
      if (head.has(digest)) return head.hold(blob, verified(content, blob, `taking in ${digest}`));
      if ([...awaited.keys()].some((other) => head.awaits(other))) {
        throw new DamagedError(`taking in ${digest}: it comes before what tells of the snapshot`);
      }
      await check();
      await writeBlob(store, blob, verified(content, blob, `taking in ${digest}`));
      awaited.delete(digest);
    },

    async commit({ damaged = false } = {}) {
      try {
        const provenance = await check();
        if (!damaged) requireAll([...awaited.values()]);
        await syncBlobs(store);
        if (existing === undefined) return { snapshot: await commitIncoming(options), provenance };
        if (brings) await addSignature(existing, brings, options);
        return { snapshot: existing.snapshot, provenance };
      } finally {
        await end();
      }
    },

    abandon: end,
  };
}

async function writeBlob(
  store: Store,
  blob: BlobRef,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const staged: StagedBlob = { ...blob, path: stagingPath(store, `${hexOf(blob.digest)}.blob`) };
  try {
    const file = await open(staged.path, 'w', 0o600);
    try {
      for await (const piece of content) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await requireNoManifest(staged);
    await publishBlob(store, staged);
  } catch (error) {
    await unlink(staged.path).catch(() => {});
    throw writeError(store.directory, error);
  }
}

/** What a snapshot consists of never does: it would pass for another snapshot, whole or not. */
async function requireNoManifest({ digest, path }: StagedBlob): Promise<void> {
  if (await beginsLikeManifest(path)) throw new DamagedError(`taking in ${digest}: it passes for a manifest`);
}

function requireAll(missing: readonly BlobRef[]): void {
  if (missing.length === 0) return;
  throw new DamagedError(
    `taking in a snapshot: ${missing.length} of its blobs did not come, such as ${missing[0]?.digest}`,
  );
}

/** A snapshot that was here before anybody knew who made it. */
async function addSignature(
  existing: StoredSnapshot,
  signature: BlobRef,
  { store, stored }: IncomingOptions,
): Promise<void> {
  try {
    await replaceManifest(store, stored, { ...existing, parts: { ...existing.parts, signature } });
  } catch (error) {
    throw writeError(store.directory, error);
  }
}

async function commitIncoming({
  store,
  stored,
  manifest,
}: IncomingOptions): Promise<StoredSnapshot['snapshot']> {
  try {
    const incoming = await decodeSnapshot(store, digestOf(manifest), manifest);
    await publishSnapshot(store, stored, incoming.snapshot, await stageBlob(store, manifest));
    await keepReserve(store.directory).catch(() => {}); // Without it only removing on a full disk is harder.
    return incoming.snapshot;
  } catch (error) {
    throw writeError(store.directory, error);
  }
}
