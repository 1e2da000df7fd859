import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './errors.ts';

/**
 * Replaces or creates `path` so that after a power cut it holds the old bytes or all of the new ones: temporary
 * file beside it, fsync, rename, fsync of the directory. The file is `mode` (0600 unless told) from its first byte.
 */
export async function writeFileDurably(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  await replaceDurably(path, mode, (file) => file.writeFile(data));
}

/**
 * Like `writeFileDurably`, with the content written by `write`, which may stream. Nothing appears at `path` if it
 * throws.
 */
export async function replaceDurably(
  path: string,
  mode: number,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = temporaryBeside(path);
  const file = await open(temporary, 'wx', mode);
  try {
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** A name in the same directory that `isTemporaryName` recognises, for files that a kill may leave behind. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

/** Whether a file name is one of ours that never became what it was meant to be. */
export function isTemporaryName(name: string): boolean {
  return /^\..*\.[0-9a-f]{12}\.tmp$/.test(name);
}

/** How old a temporary file is that nobody can still be writing, in milliseconds. */
const abandonedAfter = 3_600_000;

/** Removes what killed writers of `path` left beside it, in a place that no lock guards: so it spares what is young. */
export async function sweepTemporaries(path: string, now: Date): Promise<void> {
  const directory = dirname(path);
  for (const name of await readdir(directory)) {
    if (!isTemporaryName(name) || !name.startsWith(`.${basename(path)}.`)) continue;
    const found = await stat(join(directory, name)).catch(() => undefined);
    const isAbandoned = found !== undefined && now.getTime() - found.mtimeMs > abandonedAfter;
    if (isAbandoned) await unlink(join(directory, name)).catch(() => {});
  }
}

/**
 * Writes a new file (0600), or an old one anew, and its bytes to the disk. Its name is durable only with
 * `syncDirectory`, and a power cut meanwhile leaves a part of it: for files that count for nothing until they are
 * renamed.
 */
export async function writeSynced(path: string, bytes: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes renames, creations and removals in `directory` survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates `directory` (0700 unless told) and its missing parents, each durable in its own parent. Step by step, for
 * `mkdir` of node never ends where a parent is there and refuses, as `/proc` does.
 */
export async function makeDirectoryDurably(directory: string, mode = 0o700): Promise<void> {
  if (await isDirectory(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) await makeDirectoryDurably(parent, mode);
  await mkdir(directory, { mode }).catch(async (error: unknown) => {
    if (codeOf(error) !== 'EEXIST' || !(await isDirectory(directory))) throw error;
  });
  await syncDirectory(parent);
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  return found?.isDirectory() ?? false;
}
