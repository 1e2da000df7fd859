import { closeSync, fsyncSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { codeOf } from '../../support/errors.ts';
import { pathAt, toFsPath } from '../../support/posix/byte-path.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';
import { existsAt, statFile } from '../../support/posix/stat.ts';
import { setTimesAt } from '../../support/posix/times.ts';
import { atPath } from '../../support/posix/whole-path.ts';
import { parentDirectory } from '../places.ts';
import { nameOf } from '../tree/checked-entries.ts';

/**
 * Opens a directory by an absolute path none of whose parts may be a link: what was resolved when the restore was
 * planned must still be what it was.
 */
export function openPlainDirectory(path: string): number {
  return atPath(path, () => openStepwise(path));
}

function openStepwise(path: string): number {
  let descriptor = openSync('/', 'r');
  for (const name of path.split('/').filter(Boolean)) {
    const above = descriptor;
    try {
      descriptor = openDirectoryAt(above, name);
    } finally {
      closeSync(above);
    }
  }
  return descriptor;
}

/** Those of a path and the directories above it that are not there, topmost first. */
export function missingDirectories(path: string): string[] {
  if (path === '/') return [];
  const above = missingDirectories(parentDirectory(path));
  if (above.length > 0) return [...above, path];
  const parent = openPlainDirectory(parentDirectory(path));
  try {
    return atPath(path, () => existsAt(parent, nameOf(path))) ? [] : [path];
  } finally {
    closeSync(parent);
  }
}

/** No-op when it is there. */
export function makeDirectory(path: string, mode: number): void {
  const parent = openPlainDirectory(parentDirectory(path));
  try {
    atPath(path, () => {
      if (existsAt(parent, nameOf(path))) return;
      mkdirSync(toFsPath(pathAt(parent, nameOf(path))), mode);
      fsyncSync(parent);
    });
  } finally {
    closeSync(parent);
  }
}

/** Nanoseconds since 1970. No-op when the directory is gone, or has it: it may have become read-only. */
export function setModificationTime(path: string, mtime: bigint): void {
  if (missingDirectories(path).length > 0) return;
  const directory = openPlainDirectory(path);
  try {
    if (statFile(directory).mtime !== mtime) atPath(path, () => setTimesAt(directory, '.', mtime));
  } finally {
    closeSync(directory);
  }
}

/** Takes back what `makeDirectory` made, unless somebody has put something in. */
export function removeEmptyDirectory(path: string): void {
  try {
    rmdirSync(toFsPath(path));
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
  }
}
