import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { codeOf, FailedError, LockedError } from './errors.ts';
import { flock } from './posix/flock.ts';
import { formatMoment } from './quantities.ts';

/** A lock that is held until it is released. */
export interface Lock {
  release(): void;
}

export interface LockOptions {
  /** Many may share; one that is exclusive is alone. */
  mode: 'shared' | 'exclusive';
  /** What holds it, for whoever finds it locked: `backup`. */
  purpose: string;
  now: Date;
}

/** What stands in the lock file. It is information only: the kernel's lock decides. */
interface Owner {
  pid: number;
  purpose: string;
  since: string;
}

/**
 * Locks the file at `path`, creating it (0600) but never removing it. The lock ends with `release` or with the process,
 * however that dies, so there is no stale lock to clear. A reader of a read-only medium that has no lock file needs
 * none: nobody can write there.
 *
 * @throws {LockedError} naming who holds it; does not wait
 */
export function acquireLock(path: string, options: LockOptions): Lock {
  const file = openLockFile(path, options.mode);
  if (file === undefined) return { release() {} };
  try {
    if (!flock(file, options.mode)) throw lockedBy(path);
    describeOwner(file, options);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return releaseOnce(file);
}

function openLockFile(path: string, mode: LockOptions['mode']): number | undefined {
  try {
    return openRealFile(path, constants.O_RDWR | constants.O_CREAT);
  } catch (error) {
    if (mode === 'exclusive' || !cannotWrite(error)) throw error;
  }
  try {
    return openRealFile(path, constants.O_RDONLY);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What lies on a disk of somebody else's may be a link to a file of ours, and is going to be written. */
function openRealFile(path: string, flags: number): number {
  const { O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: number | undefined;
  try {
    file = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
    if (fstatSync(file).isFile()) return file;
  } catch (error) {
    if (!['ELOOP', 'EISDIR'].includes(codeOf(error) ?? '')) throw error;
  }
  if (file !== undefined) closeSync(file);
  throw new FailedError(`locking ${path}: it is no file of its own`, {
    advice: 'See who put it there, and remove it',
    facts: { path },
  });
}

function cannotWrite(error: unknown): boolean {
  return ['EROFS', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '');
}

function describeOwner(file: number, { purpose, now }: LockOptions): void {
  const owner: Owner = { pid: process.pid, purpose, since: now.toISOString() };
  try {
    ftruncateSync(file, 0);
    writeSync(file, `${JSON.stringify(owner)}\n`, 0);
  } catch {
    // Opened for reading only, or the disk is full: the lock holds all the same.
  }
}

function lockedBy(path: string): LockedError {
  const owner = readOwner(path);
  const who =
    owner === undefined
      ? 'another process'
      : `${owner.purpose} (pid ${owner.pid}) since ${formatMoment(new Date(owner.since))}`;
  return new LockedError(`locking ${path}: held by ${who}`, {
    advice: 'Wait until it has ended and try again; a lock never outlives the process that holds it',
    facts: { path, ...owner },
  });
}

function readOwner(path: string): Owner | undefined {
  try {
    const { pid, purpose, since } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Owner>;
    if (typeof pid !== 'number' || typeof purpose !== 'string') return undefined;
    if (typeof since !== 'string' || Number.isNaN(Date.parse(since))) return undefined;
    return { pid, purpose, since };
  } catch {
    return undefined;
  }
}

/**
 * Closing alone would not do: a child that another thread has just forked holds the same open file until it runs its
 * program. Never throws: the work that it guarded is over, and on a disk that died meanwhile the kernel frees it with
 * the process.
 */
function releaseOnce(file: number): Lock {
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      for (const step of [() => flock(file, 'release'), () => closeSync(file)]) {
        try {
          step();
        } catch {
          // Nobody could do more about it.
        }
      }
    },
  };
}
