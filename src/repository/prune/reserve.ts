import { randomBytes } from 'node:crypto';
import { rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stagingPath } from '../../oci/layout.ts';
import { codeOf } from '../../support/errors.ts';

/** Enough for the manifests and indexes that removing writes. Random, for some file systems store zeros for nothing. */
const bytes = 4 * 1024 * 1024;

/**
 * Keeps some room back in a file that removing snapshots gives up first: it must write a little before it can delete,
 * and is wanted most when nothing is free.
 */
export async function keepReserve(directory: string): Promise<void> {
  const path = reservePath(directory);
  const there = await stat(path).catch(() => undefined);
  if (there?.size === bytes) return;
  // Where the next writer sweeps it if this one dies over it.
  const staged = stagingPath({ directory }, 'reserve');
  try {
    // Its room is taken at once; a power cut may shorten it, which the next writer sees.
    await writeFile(staged, randomBytes(bytes), { mode: 0o600 });
    await rename(staged, path);
  } catch (error) {
    await unlink(staged).catch(() => {});
    throw error;
  }
}

/** Gives the space of the reserve back, if it is there; a directory in its place holds none. */
export async function releaseReserve(directory: string): Promise<void> {
  await unlink(reservePath(directory)).catch((error: unknown) => {
    if (!['ENOENT', 'EISDIR'].includes(codeOf(error) ?? '')) throw error;
  });
}

function reservePath(directory: string): string {
  return join(directory, 'reserve');
}
