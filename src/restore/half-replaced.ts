import type { Context } from '../support/context.ts';
import { FailedError, LockedError } from '../support/errors.ts';
import { type RestoreJournal, type RestoreRecord, restoreInWords, restoreJournals } from './journal.ts';
import { isRestoring } from './lock.ts';
import { lastReplaced } from './replaced.ts';

type Here = Pick<Context, 'stateDir' | 'now'>;

/** Why what a deployment had on this host since then does not belong together; `undefined` when it does. */
export async function halfReplaced(
  deployment: string,
  since: Date,
  context: Here,
): Promise<string | undefined> {
  const record = replacing(await journalsOf(deployment, context));
  if (record === undefined) return replacedSince(deployment, since, context);
  return isRestoring(context)
    ? `${restoreInWords(record)} is replacing what is here: back up again when it has ended`
    : `${restoreInWords(record)} has replaced a part of what is here: finish it with dockerctl restore --resume, or take it back with --rollback`;
}

/** A note that cannot be read says nothing, nor does one that a clock which stood wrong dates later than now. */
async function replacedSince(
  deployment: string,
  since: Date,
  { stateDir, now }: Here,
): Promise<string | undefined> {
  const last = await lastReplaced(deployment, stateDir).catch(() => undefined);
  const at = new Date(last?.at ?? Number.NaN);
  if (!last || !(at > since && at <= now())) return undefined;
  const what = last.takenBack ? 'was taken back' : 'has replaced what is here';
  return `${restoreInWords(last)} ${what} meanwhile: back up again`;
}

/**
 * To be asked before services start: what they would write on data of which a part is replaced, no way back keeps.
 * @throws {LockedError} while a restore is replacing it
 * @throws {FailedError} when one was killed at that
 */
export async function refuseHalfReplaced(deployment: string, context: Here): Promise<void> {
  const record = replacing(await journalsOf(deployment, context));
  if (record === undefined) return;
  const facts = { restore: record.id };
  if (isRestoring(context))
    throw new LockedError(`starting: ${restoreInWords(record)} is replacing the data`, {
      advice: 'Wait until it has ended: it starts what ran before',
      facts,
    });
  throw new FailedError(`starting: ${restoreInWords(record)} has replaced a part of the data`, {
    advice:
      'Finish it with dockerctl restore --resume, or take it back with --rollback; --yes starts what is there',
    facts,
  });
}

/** The restore that has begun to replace the data, and neither ended nor went back. */
function replacing(journals: readonly RestoreJournal[]): RestoreRecord | undefined {
  return journals.find(({ record }) => record.phase === 'swapping')?.record;
}

/**
 * Of restores in place: one to another directory replaces nothing. A journal that cannot be read says nothing here;
 * whoever restores is told.
 */
async function journalsOf(deployment: string, { stateDir }: Here): Promise<RestoreJournal[]> {
  const journals = await restoreJournals(stateDir).catch(() => []);
  return journals.filter(({ record: { request, deployment: whose = deployment } }) => {
    return request.to === undefined && whose === deployment;
  });
}
