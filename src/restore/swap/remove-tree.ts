import { closeSync, readdirSync, readlinkSync, rmdirSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { codeOf, FailedError } from '../../support/errors.ts';
import { pathAt, toFsPath, toText } from '../../support/posix/byte-path.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';
import { existsAt } from '../../support/posix/stat.ts';

/**
 * Removes `name` from an open directory with all that is in it, by handle: no link is followed. No-op when it is gone.
 * @throws {FailedError} that names what cannot be removed
 */
export async function removeTree(directory: number, name: string): Promise<void> {
  const inside = unlinkOrOpen(directory, name);
  if (inside === undefined) return;
  try {
    for (const child of namesToRemove(inside, directory, name)) await removeTree(inside, child);
    await setImmediate();
  } finally {
    closeSync(inside);
  }
  try {
    rmdirSync(toFsPath(pathAt(directory, name)));
  } catch (error) {
    throw notRemoved(directory, name, error);
  }
}

function namesToRemove(inside: number, directory: number, name: string): string[] {
  try {
    return readdirSync(pathAt(inside, ''), 'latin1');
  } catch (error) {
    throw notRemoved(directory, name, error);
  }
}

/** A directory cannot be unlinked: it is opened. `undefined` when `name` is gone. */
function unlinkOrOpen(directory: number, name: string): number | undefined {
  try {
    unlinkSync(toFsPath(pathAt(directory, name)));
    return undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || isGone(directory, name, error)) return undefined;
    try {
      if (codeOf(error) === 'EISDIR' || codeOf(error) === 'EPERM') return openDirectoryAt(directory, name);
    } catch {
      // No directory: it cannot be unlinked for another reason.
    }
    throw notRemoved(directory, name, error);
  }
}

/** A read-only file system refuses before it looks. */
function isGone(directory: number, name: string, refusal: unknown): boolean {
  return codeOf(refusal) === 'EROFS' && !existsAt(directory, name);
}

const advice: Record<string, string> = {
  EPERM: 'What root may not remove is immutable or append-only: see `lsattr`, use `chattr`, and try again',
  EROFS: 'Mount it for writing and try again',
  EBUSY: 'Something is mounted there: `umount` it and try again',
};

function notRemoved(directory: number, name: string, cause: unknown): FailedError {
  const code = codeOf(cause) ?? 'EIO';
  const path = toText(`${readlinkSync(pathAt(directory, '').slice(0, -1), 'latin1')}/${name}`);
  return new FailedError(`removing ${path}: ${code}`, {
    ...(advice[code] !== undefined && { advice: advice[code] }),
    facts: { path, code },
    cause,
  });
}
