import { join } from 'node:path';
import type { Context } from '../support/context.ts';
import { makeDirectoryDurably } from '../support/durable.ts';
import { acquireLock } from '../support/lock.ts';

/** One restore at a time on a host. @throws {LockedError} */
export async function withRestoreLock<T>({ stateDir, now }: Context, restore: () => Promise<T>): Promise<T> {
  await makeDirectoryDurably(stateDir);
  const path = join(stateDir, 'restore.lock');
  const lock = acquireLock(path, { mode: 'exclusive', purpose: 'restore', now: now() });
  try {
    return await restore();
  } finally {
    lock.release();
  }
}
