import { join } from 'node:path';
import type { Context } from '../support/context.ts';
import { makeDirectoryDurably } from '../support/durable.ts';
import { acquireLock } from '../support/lock.ts';

/**
 * One change of the images of this host's releases at a time: what is loaded counts on what the engine holds already.
 * @param purpose told to whoever finds it locked
 * @throws {LockedError}
 */
export async function withImagesLock<T>(
  purpose: string,
  { stateDir, now }: Pick<Context, 'stateDir' | 'now'>,
  work: () => Promise<T>,
): Promise<T> {
  await makeDirectoryDurably(stateDir);
  const lock = acquireLock(join(stateDir, 'images.lock'), { mode: 'exclusive', purpose, now: now() });
  try {
    return await work();
  } finally {
    lock.release();
  }
}
