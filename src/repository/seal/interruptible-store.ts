import type { Context } from '../../support/context.ts';
import { InterruptedError } from '../../support/errors.ts';
import type { Store } from './store.ts';

/**
 * The same store, whose reading ends as soon as the work is to end.
 * @param words what was done, and what is left then
 */
export function interruptibleStore(store: Store, { signal }: Context, words: string): Store {
  const throwIfInterrupted = () => {
    if (signal.aborted) throw new InterruptedError(words);
  };
  return { ...store, throwIfInterrupted };
}
