import { codeOf, FailedError, failingDisk, isDiskFull, messageOf, NoSpaceError } from '../support/errors.ts';

/**
 * What the operator is told when the system refuses something while files are restored; whatever else was thrown
 * passes as it is.
 * @param doing what was being done
 */
export function restoreError(doing: string, error: unknown): unknown {
  const { errno } = (error ?? {}) as { errno?: unknown };
  if (typeof errno !== 'number') return error;
  const what = `${doing}: ${messageOf(error)}`;
  const code = codeOf(error);
  const details = { facts: { code }, cause: error };
  if (isDiskFull(error))
    return new NoSpaceError(what, { advice: 'Make room there: everything is as it was', ...details });
  return new FailedError(what, { ...(code === 'EIO' && { advice: failingDisk }), ...details });
}
