import { refusedBySystem } from '../support/refused-by-system.ts';

/**
 * What the operator is told when the system refuses something while files are restored; whatever else was thrown
 * passes as it is.
 * @param doing what was being done
 */
export function restoreError(doing: string, error: unknown): unknown {
  return refusedBySystem(doing, error, 'Make room there: everything is as it was');
}
