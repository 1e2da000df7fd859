import { readFileSync } from 'node:fs';

/** For the directories of files that wait to be read, those files, what is written, and what the runtime has open. */
const keptBack = 600;

/**
 * How many directories, each in the one before, a walk may hold open without taking from the rest of a backup what it
 * needs: so a tree that is deeper makes its source incomplete, and does not end the run.
 */
export function mostLevels(): number {
  const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return soft === undefined ? Number.POSITIVE_INFINITY : Math.max(Number(soft) - keptBack, 1);
}
