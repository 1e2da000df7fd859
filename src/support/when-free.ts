import { setTimeout } from 'node:timers/promises';
import { LockedError } from './errors.ts';

/** Seconds; long enough for another host's nightly snapshot. */
export const usualPatience = 600;

/**
 * Does what needs a lock as soon as nobody else holds it.
 * @param onWait told once of who holds it, when it is to be waited for
 * @throws {LockedError} when that takes longer than `patience`, in seconds
 */
export async function whenFree<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  { patience = usualPatience, onWait = (_held: LockedError) => {} } = {},
): Promise<T> {
  for (let left = patience; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LockedError) || left <= 0) throw error;
      if (left === patience) onWait(error);
      await setTimeout(1000, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
