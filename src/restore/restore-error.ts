import { codeOf, FailedError, isDiskFull, isOfSystem, messageOf, NoSpaceError } from '../support/errors.ts';
import { systemAdvice } from '../support/system-advice.ts';

/**
 * What the operator is told when the system refuses something while files are restored; whatever else was thrown
 * passes as it is.
 * @param doing what was being done
 */
export function restoreError(doing: string, error: unknown): unknown {
  if (!isOfSystem(error)) return error;
  const what = `${doing}: ${messageOf(error)}`;
  const code = codeOf(error);
  const details = { facts: { code }, cause: error };
  if (isDiskFull(error))
    return new NoSpaceError(what, { advice: 'Make room there: everything is as it was', ...details });
  return new FailedError(what, { ...systemAdvice(error), ...details });
}
