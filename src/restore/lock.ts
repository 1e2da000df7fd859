import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../support/context.ts';
import { makeDirectoryDurably } from '../support/durable.ts';
import { LockedError } from '../support/errors.ts';
import { acquireLock, type Lock } from '../support/lock.ts';
import { expectProc } from '../support/posix/expect-proc.ts';
import { restoreError } from './restore-error.ts';

/** One restore at a time on a host. @throws {LockedError} @throws {FailedError} when /proc is not mounted */
export async function withRestoreLock<T>({ stateDir, now }: Context, restore: () => Promise<T>): Promise<T> {
  expectProc('restoring');
  const lock = await acquire(stateDir, now());
  try {
    return await restore();
  } finally {
    lock.release();
  }
}

async function acquire(stateDir: string, now: Date): Promise<Lock> {
  const path = lockFile(stateDir);
  try {
    await makeDirectoryDurably(stateDir);
    return acquireLock(path, { mode: 'exclusive', purpose: 'restore', now });
  } catch (error) {
    throw restoreError(`locking ${path}`, error);
  }
}

/** Whether one is under way, here or in another process: what its journal says is neither unfinished nor done. */
export function isRestoring({ stateDir, now }: Pick<Context, 'stateDir' | 'now'>): boolean {
  const path = lockFile(stateDir);
  if (!existsSync(path)) return false;
  try {
    acquireLock(path, { mode: 'shared', purpose: 'a look at restores', now: now() }).release();
    return false;
  } catch (error) {
    if (error instanceof LockedError) return true;
    throw restoreError(`locking ${path}`, error);
  }
}

function lockFile(stateDir: string): string {
  return join(stateDir, 'restore.lock');
}
