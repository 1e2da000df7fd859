import { opendirSync } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory, writeSynced } from '../support/durable.ts';
import { codeOf, DamagedError, messageOf } from '../support/errors.ts';
import { readSmallFile, requireSensible } from '../support/small-file.ts';
import { type BlobFile, blobError, openBlobFile } from './blob-file.ts';
import { type Digest, digestOf, hexOf, isDigest } from './digest.ts';
import { blobPath, type Layout, stagingPath } from './layout.ts';

/**
 * Reads a small blob whole.
 * @param limit of bytes; no size is trusted
 * @throws {DamagedError} when it is missing, longer than `limit`, or not what its digest says
 * @throws {FailedError} when it may not be read
 */
export async function readBlob(layout: Layout, digest: Digest, limit: number): Promise<Buffer> {
  const path = blobPath(layout, digest);
  const bytes =
    layout.open === undefined ? readBounded(path, limit) : await readOpened(layout, digest, limit);
  const got = digestOf(bytes);
  if (got === digest) return bytes;
  throw new DamagedError(`reading ${path}: its bytes are not what its name says`, {
    facts: { path, got, want: digest },
  });
}

function readBounded(path: string, limit: number): Buffer {
  try {
    return readSmallFile(path, limit);
  } catch (error) {
    throw blobError(path, error);
  }
}

async function readOpened(layout: Layout, digest: Digest, limit: number): Promise<Buffer> {
  const file = await openBlob(layout, digest);
  try {
    requireSensible(file.size, limit);
    return Buffer.from(await file.read(0, file.size));
  } catch (error) {
    throw new DamagedError(`reading ${digest}: ${messageOf(error)}`, { cause: error });
  } finally {
    await file.close();
  }
}

/** Whoever opened it closes it. */
export async function openBlob(layout: Layout, digest: Digest): Promise<BlobFile> {
  return layout.open?.(digest) ?? openBlobFile(blobPath(layout, digest));
}

/** Whether it holds no blob, as far as can be seen. */
export function isEmptyLayout({ directory }: Layout): boolean {
  try {
    using blobs = opendirSync(join(directory, 'blobs', 'sha256'));
    return blobs.readSync() === null;
  } catch {
    return false;
  }
}

/** Size of a blob's file in bytes; `undefined` when it is missing. */
export async function blobSize(layout: Layout, digest: Digest): Promise<number | undefined> {
  try {
    const found = await stat(blobPath(layout, digest));
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a small blob to staging, synced. It becomes visible with `publishBlob` and durable with `syncBlobs`. */
export async function stageBlob(layout: Layout, bytes: Uint8Array): Promise<StagedBlob> {
  const digest = digestOf(bytes);
  const path = stagingPath(layout, `${hexOf(digest)}.blob`);
  await writeSynced(path, bytes);
  return { digest, size: bytes.length, path };
}

/** A synced file in staging, and the blob it is going to be. */
export interface StagedBlob {
  digest: Digest;
  size: number;
  path: string;
}

/** Makes a staged blob visible under its digest. */
export async function publishBlob(layout: Layout, { digest, path }: StagedBlob): Promise<void> {
  await rename(path, blobPath(layout, digest));
}

/** Makes the names of published blobs durable. */
export async function syncBlobs({ directory }: Layout): Promise<void> {
  await syncDirectory(join(directory, 'blobs', 'sha256'));
}

/** Every file in `blobs/sha256` that is named like a blob. */
export async function listBlobs({ directory }: Layout): Promise<Digest[]> {
  const found = await readdir(join(directory, 'blobs', 'sha256'), { withFileTypes: true });
  // A pipe would keep whoever opens it waiting for ever, a device may have no end, and a directory has no bytes.
  const readable = found.filter((entry) => entry.isFile() || entry.isSymbolicLink());
  return readable.map(({ name }) => `sha256:${name}`).filter(isDigest);
}
