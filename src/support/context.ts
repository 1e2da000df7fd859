import type { Progress } from './progress.ts';

/** What every long operation is given from outside, so that the core needs no terminal, no clock and no globals. */
export interface Context {
  progress: Progress;
  /** Aborted on Ctrl-C or TERM: stop soon, undo or leave a state that can be run again, throw `InterruptedError`. */
  signal: AbortSignal;
  now(): Date;
  /** Where this host keeps catalog, caches, journals and locks; 0700. */
  stateDir: string;
}

/** For what must come to its end, whoever asks it to stop. */
export function uninterruptible(context: Context): Context {
  return { ...context, signal: new AbortController().signal };
}
