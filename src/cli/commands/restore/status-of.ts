import type { RestoreReport } from '../../../restore/conclude.ts';
import { exitCodes } from '../../exit-codes.ts';

/** What is lost stays lost, however well the rest went. */
export function statusOf({ losses }: Pick<RestoreReport, 'losses'>): number {
  return losses.length === 0 ? exitCodes.done : exitCodes.damaged;
}
