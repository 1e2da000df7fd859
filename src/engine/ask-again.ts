import { setTimeout } from 'node:timers/promises';

/**
 * Asks an engine until it answers otherwise than with an error that passes by itself, because others create and remove
 * things at the same moment. One that stays is thrown when so many seconds are over.
 */
export async function askAgain<T>(
  ask: () => Promise<T>,
  { whilePassing, seconds }: { whilePassing(error: unknown): boolean | Promise<boolean>; seconds: number },
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (let pause = 5; ; pause = Math.min(2 * pause, 500)) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > end || !(await whilePassing(error))) throw error;
    }
    await setTimeout(pause);
  }
}
