import { type Digest, digestOf } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import type { Store } from '../seal/store.ts';
import type { Provenance, TrustedKeys } from '../signed/provenance.ts';
import {
  type BlobRef,
  blobsOfParts,
  decodeManifest,
  encodeManifest,
  isSealedManifest,
  type Parts,
} from '../snapshot/manifest.ts';
import { manifestLimit } from '../snapshot/media-types.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { blobsOf, type StoredSnapshot } from '../snapshot/stored.ts';
import { IncomingHead } from './incoming-head.ts';
import { IncomingSnapshot } from './incoming-snapshot.ts';
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
   * Stores one of the lacking; config and signature must come before the rest. Throws `DamagedError` when the bytes are
   * not what the digest says, and keeps nothing of them; `SignatureError` when the snapshot is not by whom it must be,
   * and then nothing at all has been stored.
   */
  add(digest: Digest, content: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Makes it visible. Throws `DamagedError` while anything is lacking, unless a `damaged` snapshot is better than none
   * and its config has come; and `SignatureError` as `add` does.
   */
  commit(options?: { damaged?: boolean }): Promise<{ snapshot: Snapshot; provenance: Provenance }>;
  /** Gives up and releases the lock. What was added stays for the next attempt, or until the next removal. */
  abandon(): Promise<void>;
}

/** What is believed of whoever brings a snapshot. */
export interface IncomingTrust {
  /** Whose snapshots are taken in. */
  keys: TrustedKeys;
  /**
   * A copy of a snapshot that is here and lost something may take its place, though it lies in other packs. Not that of
   * whoever sends: what it says of where its content is nobody signed.
   */
  mends?: boolean | undefined;
}

export interface IncomingOptions extends IncomingTrust {
  store: Store;
  /** Every snapshot that is here, oldest first. */
  stored: readonly StoredSnapshot[];
  /** Blobs that a check found damaged. */
  damaged: ReadonlySet<Digest>;
  manifest: Buffer;
  /** Called once, however it ends. */
  onEnd(): void;
}

/**
 * Takes in a snapshot that was made elsewhere; the exclusive lock is held. Each blob is checked while it is written,
 * and stays when the rest does not come: who sends again sends only what is missing. The manifest comes last, so
 * nothing shows before everything is there; it says that the snapshot was carried in, for nobody here has seen what
 * lies where in it.
 *
 * @throws {DamagedError} when `manifest` is not the manifest of a snapshot, or too long to be read again.
 * @throws {NoSpaceError} before anything is written.
 */
export async function beginIncoming(options: IncomingOptions): Promise<Incoming> {
  const { store, stored, manifest, keys } = options;
  const parts = decodeManifest(manifest, 'the manifest of the incoming snapshot');
  const kept = encodeManifest({ ...parts, carried: true }, isSealedManifest(manifest));
  if (kept.length > manifestLimit) throw new DamagedError('taking in a snapshot: its manifest is too long');
  const existing = stored.find(({ snapshot }) => snapshot.id === parts.config.digest);
  const manifests = [manifest, kept].map(digestOf);
  const replaces = await isToBeReplaced(existing, manifests, options);
  const { wanted, tells, brings } = whatItBrings(parts, manifests, replaces ? undefined : existing);
  const lacking = await lackingBlobs(wanted, options);
  await requireRoom(store, lacking);
  const head = new IncomingHead(store, tells, keys);
  const needed = blobsOfParts(parts);
  const replacement: Parts | undefined = replaces ? { ...parts, carried: true } : undefined;
  const changes = { existing, brings, replacement };
  return new IncomingSnapshot({ ...options, manifest: kept, needed, lacking, head, ...changes });
}

/** It was written anew here since the copy was made, and then lost something. */
async function isToBeReplaced(
  existing: StoredSnapshot | undefined,
  manifests: readonly Digest[],
  options: IncomingOptions,
): Promise<boolean> {
  if (!options.mends || existing === undefined || manifests.includes(existing.manifest.digest)) return false;
  return (await lackingBlobs(blobsOf(existing), options)).length > 0;
}
