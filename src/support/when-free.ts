import { setTimeout } from 'node:timers/promises';
import { LockedError } from './errors.ts';

/**
 * Does what needs a lock as soon as nobody else holds it.
 * @param onWait told once of who holds it, when it is to be waited for
 * @param patience in seconds
 * @throws {LockedError} when that takes longer
 */
export async function whenFree<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  { patience, onWait }: { patience: number; onWait?: (held: LockedError) => void },
): Promise<T> {
  for (let left = patience; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LockedError) || left <= 0) throw error;
      if (left === patience) onWait?.(error);
      await setTimeout(1000, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
