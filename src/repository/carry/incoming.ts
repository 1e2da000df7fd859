import { open, unlink } from 'node:fs/promises';
import { type Digest, digestOf, hexOf, verified } from '../../oci/digest.ts';
import {
  blobSize,
  publishBlob,
  type StagedBlob,
  stageBlob,
  stagingPath,
  syncBlobs,
} from '../../oci/layout.ts';
import { DamagedError, NoSpaceError } from '../../support/errors.ts';
import { freeSpaceAt } from '../../support/free-space.ts';
import { keepReserve } from '../prune/reserve.ts';
import type { Incoming } from '../repository.ts';
import { writeError } from '../run/write-error.ts';
import type { Store } from '../seal/store.ts';
import { decodeSnapshot, type StoredSnapshot } from '../snapshot/load.ts';
import { type BlobRef, decodeManifest, type Parts } from '../snapshot/manifest.ts';
import { publishSnapshot } from '../snapshot/publish.ts';

export interface IncomingOptions {
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
 * Takes in a snapshot that was made elsewhere; the exclusive lock is held. Each blob is checked while it is written, and stays
 * when the rest does not come: who sends again sends only what is missing. The manifest comes last, so nothing shows
 * before everything is there.
 *
 * @throws {DamagedError} when `manifest` is not the manifest of a snapshot. @throws {NoSpaceError} before anything is written
 */
export async function beginIncoming(options: IncomingOptions): Promise<Incoming> {
  const { store, stored, manifest } = options;
  const parts = decodeManifest(manifest, 'the manifest of the incoming snapshot');
  const existing = stored.find(({ snapshot }) => snapshot.id === parts.config.digest);
  // One whose manifest was issued anew here needs other blobs than this one names.
  const isOther = existing !== undefined && existing.manifest.digest !== digestOf(manifest);
  const lacking = isOther ? [] : await lackingBlobs(parts, options);
  await requireRoom(store, lacking);
  const awaited = new Map(lacking.map((blob) => [blob.digest, blob]));
  let active = true;

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
      await writeBlob(store, blob, content);
      awaited.delete(digest);
    },

    async commit() {
      try {
        requireAll([...awaited.values()]);
        await syncBlobs(store);
        return existing?.snapshot ?? (await commitIncoming(options));
      } finally {
        await end();
      }
    },

    abandon: end,
  };
}

/** What is not here, not as long as it should be, or known to be damaged. */
async function lackingBlobs(parts: Parts, { store, damaged }: IncomingOptions): Promise<BlobRef[]> {
  const lacking: BlobRef[] = [];
  for (const blob of blobsOfParts(parts)) {
    const isHere = (await blobSize(store, blob.digest)) === blob.size;
    if (!isHere || damaged.has(blob.digest)) lacking.push(blob);
  }
  return lacking;
}

async function requireRoom({ directory }: Store, lacking: readonly BlobRef[]): Promise<void> {
  const wanted = lacking.reduce((sum, { size }) => sum + size, 0);
  const free = await freeSpaceAt(directory);
  if (wanted <= free) return;
  throw new NoSpaceError(`taking in a snapshot: it needs ${wanted} bytes in ${directory}, ${free} are free`, {
    advice: 'Make room there, for example with dockerctl backup prune, and do it again',
    facts: { path: directory, wanted, free },
  });
}

function blobsOfParts({ config, packs, indexes, trees, notes }: Parts): BlobRef[] {
  const all = [config, ...packs, ...indexes, ...trees, ...(notes === undefined ? [] : [notes])];
  return [...new Map(all.map(({ digest, size }) => [digest, { digest, size }])).values()];
}

async function writeBlob(store: Store, blob: BlobRef, content: AsyncIterable<Uint8Array>): Promise<void> {
  const staged: StagedBlob = { ...blob, path: stagingPath(store, `${hexOf(blob.digest)}.blob`) };
  try {
    const file = await open(staged.path, 'w', 0o600);
    try {
      for await (const piece of verified(content, blob, `taking in ${blob.digest}`))
        await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await publishBlob(store, staged);
  } catch (error) {
    await unlink(staged.path).catch(() => {});
    throw writeError(store.directory, error);
  }
}

function requireAll(missing: readonly BlobRef[]): void {
  if (missing.length === 0) return;
  throw new DamagedError(
    `taking in a snapshot: ${missing.length} of its blobs did not come, such as ${missing[0]?.digest}`,
  );
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
