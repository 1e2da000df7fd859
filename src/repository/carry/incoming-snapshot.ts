import { type Digest, digestOf, verified } from '../../oci/digest.ts';
import { stageBlob, syncBlobs } from '../../oci/layout-blobs.ts';
import { DamagedError } from '../../support/errors.ts';
import { keepReserve } from '../prune/reserve.ts';
import { replaceManifest } from '../rewrite/reissue.ts';
import type { Provenance } from '../signed/provenance.ts';
import type { BlobRef, Parts } from '../snapshot/manifest.ts';
import { publishSnapshot } from '../snapshot/publish.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { decodeSnapshot, type StoredSnapshot } from '../snapshot/stored.ts';
import { writeError } from '../write-error.ts';
import type { Incoming, IncomingOptions } from './incoming.ts';
import type { IncomingHead } from './incoming-head.ts';
import { writeIncomingBlob } from './write-incoming-blob.ts';

export interface IncomingSnapshotOptions extends IncomingOptions {
  needed: readonly BlobRef[];
  lacking: readonly BlobRef[];
  /** What tells of the snapshot, judged before anything is stored. */
  head: IncomingHead;
  /** The same snapshot, as it is here, and the signature that it gets. */
  existing: StoredSnapshot | undefined;
  brings: BlobRef | undefined;
  /** Of what it will consist, for it lost something and the copy is whole. */
  replacement: Parts | undefined;
}

/** A snapshot whose blobs come one after the other, while the exclusive lock is held. */
export class IncomingSnapshot implements Incoming {
  readonly needed: readonly BlobRef[];
  readonly lacking: readonly BlobRef[];
  readonly existing: Snapshot | undefined;
  readonly #options: IncomingSnapshotOptions;
  /** Those that have not come yet. */
  readonly #awaited: Map<Digest, BlobRef>;
  #active = true;

  constructor(options: IncomingSnapshotOptions) {
    this.needed = options.needed;
    this.lacking = options.lacking;
    this.existing = options.existing?.snapshot;
    this.#options = options;
    this.#awaited = new Map(options.lacking.map((blob) => [blob.digest, blob]));
  }

  async add(digest: Digest, content: AsyncIterable<Uint8Array>): Promise<void> {
    const { store, head } = this.#options;
    const blob = this.#awaited.get(digest);
    if (blob === undefined) throw new DamagedError(`taking in ${digest}: nobody asked for it`);
    if (head.has(digest)) return head.hold(blob, verified(content, blob, `taking in ${digest}`));
    if ([...this.#awaited.keys()].some((other) => head.awaits(other))) {
      throw new DamagedError(`taking in ${digest}: it comes before what tells of the snapshot`);
    }
    await this.#check();
    await writeIncomingBlob(store, blob, verified(content, blob, `taking in ${digest}`));
    this.#awaited.delete(digest);
  }

  async commit({ damaged = false } = {}): Promise<{ snapshot: Snapshot; provenance: Provenance }> {
    const { existing, brings, replacement, store } = this.#options;
    try {
      const provenance = await this.#check();
      if (!damaged) requireAll([...this.#awaited.values()]);
      await syncBlobs(store).catch((error: unknown) => {
        throw writeError(store.directory, error);
      });
      if (existing === undefined) return { snapshot: await commitIncoming(this.#options), provenance };
      if (brings) await changeParts(existing, { ...existing.parts, signature: brings }, this.#options);
      if (replacement && this.#awaited.size === 0) await changeParts(existing, replacement, this.#options);
      return { snapshot: existing.snapshot, provenance };
    } finally {
      await this.abandon();
    }
  }

  async abandon(): Promise<void> {
    if (this.#active) this.#options.onEnd();
    this.#active = false;
  }

  /** By whom it is; what tells of it is stored once that is known. */
  async #check(): Promise<Provenance> {
    const { store, head } = this.#options;
    const { provenance, held } = await head.check();
    for (const [digest, bytes] of held) await writeIncomingBlob(store, this.#awaited.get(digest)!, [bytes]);
    for (const [digest] of held) this.#awaited.delete(digest);
    return provenance;
  }
}

function requireAll(missing: readonly BlobRef[]): void {
  if (missing.length === 0) return;
  throw new DamagedError(
    `taking in a snapshot: ${missing.length} of its blobs did not come, such as ${missing[0]?.digest}`,
  );
}

/** Of a snapshot that was here before anybody knew who made it, or that lost something. */
async function changeParts(
  existing: StoredSnapshot,
  parts: Parts,
  { store, stored }: IncomingOptions,
): Promise<void> {
  try {
    await replaceManifest(store, stored, { ...existing, parts });
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
