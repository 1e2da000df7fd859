import { closeSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { codeOf } from '../../support/errors.ts';
import { pathAt, toFsPath } from '../../support/posix/byte-path.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';

/** Removes `name` from an open directory with all that is in it, by handle: no link is followed. No-op when it is gone. */
export async function removeTree(directory: number, name: string): Promise<void> {
  const path = toFsPath(pathAt(directory, name));
  try {
    return unlinkSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) !== 'EISDIR' && codeOf(error) !== 'EPERM') throw error;
  }
  const inside = openDirectoryAt(directory, name);
  try {
    for (const child of readdirSync(pathAt(inside, ''), 'latin1')) await removeTree(inside, child);
    await setImmediate();
  } finally {
    closeSync(inside);
  }
  rmdirSync(path);
}
