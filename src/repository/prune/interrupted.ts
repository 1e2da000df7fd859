import type { Context } from '../../support/context.ts';
import { InterruptedError } from '../../support/errors.ts';

/** @throws {InterruptedError} */
export function throwIfInterrupted({ signal }: Context): void {
  if (signal.aborted)
    throw new InterruptedError('removing snapshots: interrupted; run it again for the rest');
}
