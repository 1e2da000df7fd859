import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectoryDurably, syncDirectory, writeFileDurably } from '../support/durable.ts';
import { codeOf, DamagedError, messageOf } from '../support/errors.ts';
import { type BlobFile, openBlobFile } from './blob-file.ts';
import { type Descriptor, type Index, mediaTypes } from './descriptor.ts';
import { type Digest, digestOf, hexOf, isDigest } from './digest.ts';

/**
 * An OCI image layout directory on disk (OCI Image Format Specification 1.1, "Image Layout"), written so that a power
 * cut at any point leaves it whole. What is on its way lies in `tmp/`, outside of what the specification reads.
 */
export interface Layout {
  readonly directory: string;
  /** Opens a blob, where blobs are no files of the directory. */
  readonly open?: (digest: Digest) => Promise<BlobFile>;
}

/** What stands in the file `oci-layout`. */
export const layoutVersion = '{"imageLayoutVersion":"1.0.0"}';

/** Creates an empty layout, private to its owner. The directory may exist if it is empty. */
export async function createLayout(directory: string): Promise<Layout> {
  await makeDirectoryDurably(join(directory, 'blobs', 'sha256'));
  await mkdir(join(directory, 'tmp'), { recursive: true, mode: 0o700 });
  await writeFileDurably(join(directory, 'index.json'), encodeIndex([]));
  await writeFileDurably(join(directory, 'oci-layout'), layoutVersion);
  return { directory };
}

/** Whether `directory` says that it is a layout. */
export async function isLayout(directory: string): Promise<boolean> {
  try {
    await stat(join(directory, 'oci-layout'));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

export function blobPath({ directory }: Layout, digest: Digest): string {
  return join(directory, 'blobs', 'sha256', hexOf(digest));
}

/** Where a file that is not yet a blob may lie; `name` must not be in use by another writer. */
export function stagingPath({ directory }: Layout, name: string): string {
  return join(directory, 'tmp', name);
}

/**
 * Reads a small blob whole.
 * @param limit of bytes; no size is trusted
 * @throws {DamagedError} when it is missing, longer than `limit`, or not what its digest says
 */
export async function readBlob(layout: Layout, digest: Digest, limit: number): Promise<Buffer> {
  const path = blobPath(layout, digest);
  const bytes =
    layout.open === undefined ? readBounded(path, limit) : await readOpened(layout, digest, limit);
  const got = digestOf(bytes);
  if (got === digest) return bytes;
  throw new DamagedError(`reading ${path}: its bytes have digest ${got}`, {
    facts: { path, got, want: digest },
  });
}

/** On this thread: a small file costs less than four turns of the thread pool. */
function readBounded(path: string, limit: number): Buffer {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    requireSensible(fstatSync(file).size, limit);
    return readFileSync(file);
  } catch (error) {
    throw new DamagedError(`reading ${path}: ${messageOf(error)}`, { facts: { path }, cause: error });
  } finally {
    if (file !== undefined) closeSync(file);
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

function requireSensible(size: number, limit: number): void {
  if (size > limit) throw new Error(`it has ${size} bytes, more than the ${limit} that are sensible`);
}

/** Whoever opened it closes it. */
export async function openBlob(layout: Layout, digest: Digest): Promise<BlobFile> {
  return layout.open?.(digest) ?? openBlobFile(blobPath(layout, digest));
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

async function writeSynced(path: string, bytes: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function publishBlob(layout: Layout, { digest, path }: StagedBlob): Promise<void> {
  await rename(path, blobPath(layout, digest));
}

/** Makes the names of published blobs durable. */
export async function syncBlobs({ directory }: Layout): Promise<void> {
  await syncDirectory(join(directory, 'blobs', 'sha256'));
}

/** Every file in `blobs/sha256` that is named like a blob. */
export async function listBlobs({ directory }: Layout): Promise<Digest[]> {
  const names = await readdir(join(directory, 'blobs', 'sha256'));
  return names.map((name) => `sha256:${name}`).filter(isDigest);
}

/** Removes everything in staging. Only the one writer may. */
export async function clearStaging({ directory }: Layout): Promise<void> {
  for (const name of await readdir(join(directory, 'tmp')).catch(() => [])) {
    await rm(join(directory, 'tmp', name), { recursive: true, force: true });
  }
  await mkdir(join(directory, 'tmp'), { recursive: true, mode: 0o700 });
}

/** The index, or `undefined` when it is missing or is none. What it names is not checked. */
export async function readIndex({ directory }: Layout): Promise<Index | undefined> {
  return parseIndex(join(directory, 'index.json'));
}

/** The index of a commit that was cut short after this one was written. */
export async function readStagedIndex({ directory }: Layout): Promise<Index | undefined> {
  return parseIndex(join(directory, 'tmp', 'index.json'));
}

/** Writes the text of the next index into staging, durably. */
export async function stageIndex({ directory }: Layout, text: string): Promise<void> {
  await writeSynced(join(directory, 'tmp', 'index.json'), text);
  await syncDirectory(join(directory, 'tmp'));
}

/** Makes the staged index the index. */
export async function publishIndex({ directory }: Layout): Promise<void> {
  await rename(join(directory, 'tmp', 'index.json'), join(directory, 'index.json'));
  await syncDirectory(directory);
}

export function encodeIndex(manifests: readonly Descriptor[]): string {
  return `${JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests })}\n`;
}

async function parseIndex(path: string): Promise<Index | undefined> {
  try {
    const index = JSON.parse(await readFile(path, 'utf8')) as Partial<Index> | null;
    if (index?.schemaVersion !== 2 || !Array.isArray(index.manifests)) return undefined;
    return index.manifests.every(isDescriptor) ? (index as Index) : undefined;
  } catch {
    return undefined;
  }
}

export function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Descriptor>;
  return typeof mediaType === 'string' && isDigest(digest) && Number.isSafeInteger(size) && Number(size) >= 0;
}
