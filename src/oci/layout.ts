import { lstat, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectoryDurably, syncDirectory, writeFileDurably, writeSynced } from '../support/durable.ts';
import { codeOf, DamagedError } from '../support/errors.ts';
import type { BlobFile } from './blob-file.ts';
import { blobName, type Digest } from './digest.ts';
import { encodeIndex } from './layout-index.ts';

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
  await makeDirectoryDurably(join(directory, 'tmp'));
  await writeFileDurably(join(directory, 'index.json'), encodeIndex([]));
  await writeFileDurably(join(directory, 'oci-layout'), layoutVersion);
  return { directory };
}

/**
 * Says again that it is a layout, for one that lost that. Only the one writer may: what a kill leaves lies in `tmp/`.
 */
export async function rewriteLayoutVersion(layout: Layout): Promise<void> {
  const staged = stagingPath(layout, 'oci-layout');
  await writeSynced(staged, layoutVersion);
  await rename(staged, join(layout.directory, 'oci-layout'));
  await syncDirectory(layout.directory);
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

/** The file of a blob, whether it is there or not. */
export function blobPath({ directory }: Layout, digest: Digest): string {
  return join(directory, blobName(digest));
}

/** Where a file that is not yet a blob may lie; `name` must not be in use by another writer. */
export function stagingPath({ directory }: Layout, name: string): string {
  return join(directory, 'tmp', name);
}

/**
 * Refuses to write where the directories of a layout are links: what would be removed there is somebody else's.
 * @throws {DamagedError}
 */
export async function requireOwnDirectories({ directory }: Layout): Promise<void> {
  for (const name of ['blobs', 'blobs/sha256', 'tmp']) {
    const path = join(directory, name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined || found.isDirectory()) continue;
    throw new DamagedError(`writing to ${directory}: ${name} is no directory of its own`, {
      advice: 'See who put it there; what it stands for can be copied to its place',
      facts: { path },
    });
  }
}

/** Removes everything in staging. Only the one writer may. A layout that is gone, as when its disk was pulled, is not made anew. */
export async function clearStaging({ directory }: Layout): Promise<void> {
  for (const name of await readdir(join(directory, 'tmp')).catch(() => [])) {
    await rm(join(directory, 'tmp', name), { recursive: true, force: true });
  }
  await mkdir(join(directory, 'tmp'), { mode: 0o700 }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}
