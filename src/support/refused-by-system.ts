import { codeOf, FailedError, isDiskFull, isOfSystem, messageOf, NoSpaceError } from './errors.ts';
import { systemAdvice } from './system-advice.ts';

/**
 * What the operator is told when the system refuses a call; whatever else was thrown passes as it is.
 * @param doing what was being done, and where
 * @param room the advice where that is full
 */
export function refusedBySystem(doing: string, error: unknown, room: string): unknown {
  if (!isOfSystem(error)) return error;
  const what = `${doing}: ${messageOf(error)}`;
  const details = { facts: { code: codeOf(error) }, cause: error };
  if (isDiskFull(error)) return new NoSpaceError(what, { advice: room, ...details });
  return new FailedError(what, { ...systemAdvice(error), ...details });
}
