import { lastError, libc } from './libc.ts';

const operations = { shared: 1, exclusive: 2, release: 8 } as const;
const doNotBlock = 4;

/**
 * Takes, converts or releases the advisory lock of an open file, without waiting. The kernel drops it when the last
 * descriptor closes, also when its process is killed: it is never stale.
 *
 * @returns whether it was granted
 */
export function flock(file: number, operation: keyof typeof operations): boolean {
  if (libc().flock(file, operations[operation] | doNotBlock) === 0) return true;
  const error = lastError('flock');
  if (error.code === 'EAGAIN') return false;
  throw error;
}
