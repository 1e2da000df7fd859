import type { Context } from '../support/context.ts';
import { FailedError } from '../support/errors.ts';
import { restoreInWords, unfinishedJournal } from './journal.ts';
import { withRestoreLock } from './lock.ts';

/**
 * @throws {LockedError} while another restore is under way
 * @throws {FailedError} while an earlier one is neither finished nor taken back
 */
export async function refuseUnfinished(context: Context): Promise<void> {
  if ((await unfinishedJournal(context.stateDir)) === undefined) return;
  await withRestoreLock(context, () => expectAllFinished(context.stateDir));
}

/**
 * To be asked with the lock held: then what is not finished was killed.
 * @throws {FailedError}
 */
export async function expectAllFinished(stateDir: string): Promise<void> {
  const unfinished = await unfinishedJournal(stateDir);
  if (unfinished === undefined) return;
  const { path, record } = unfinished;
  throw new FailedError(`restoring: ${restoreInWords(record)} was never finished`, {
    advice: 'Finish it with dockerctl restore --resume, or take it back with dockerctl restore --rollback',
    facts: { restore: record.id, journal: path },
  });
}
