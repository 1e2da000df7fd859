import { join } from 'node:path';
import type { Context } from '../support/context.ts';
import { makeDirectoryDurably } from '../support/durable.ts';
import { acquireLock, type Lock } from '../support/lock.ts';
import { restoreError } from './restore-error.ts';

/** One restore at a time on a host. @throws {LockedError} */
export async function withRestoreLock<T>({ stateDir, now }: Context, restore: () => Promise<T>): Promise<T> {
  const lock = await acquire(stateDir, now());
  try {
    return await restore();
  } finally {
    lock.release();
  }
}

async function acquire(stateDir: string, now: Date): Promise<Lock> {
  const path = join(stateDir, 'restore.lock');
  try {
    await makeDirectoryDurably(stateDir);
    return acquireLock(path, { mode: 'exclusive', purpose: 'restore', now });
  } catch (error) {
    throw restoreError(`locking ${path}`, error);
  }
}
