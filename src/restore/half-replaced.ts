import type { Context } from '../support/context.ts';
import { FailedError, LockedError } from '../support/errors.ts';
import { type RestoreRecord, restoreInWords, restoreJournals } from './journal.ts';
import { isRestoring } from './lock.ts';

type Here = Pick<Context, 'stateDir' | 'now'>;

/** Why what a deployment has on this host belongs together no longer; `undefined` as long as it does. */
export async function halfReplaced(deployment: string, context: Here): Promise<string | undefined> {
  const record = await replacing(deployment, context);
  if (record === undefined) return undefined;
  return isRestoring(context)
    ? `${restoreInWords(record)} is replacing what is here: back up again when it has ended`
    : `${restoreInWords(record)} has replaced a part of what is here: finish it with dockerctl restore --resume, or take it back with --rollback`;
}

/**
 * To be asked before services start: what they would write on data of which a part is replaced, no way back keeps.
 * @throws {LockedError} while a restore is replacing it
 * @throws {FailedError} when one was killed at that
 */
export async function refuseHalfReplaced(deployment: string, context: Here): Promise<void> {
  const record = await replacing(deployment, context);
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

/**
 * The restore that has begun to replace a deployment's data, and neither ended nor went back. One to another directory
 * replaces nothing. A journal that cannot be read says nothing here; whoever restores is told.
 */
async function replacing(deployment: string, { stateDir }: Here): Promise<RestoreRecord | undefined> {
  const journals = await restoreJournals(stateDir).catch(() => []);
  return journals
    .map(({ record }) => record)
    .find(({ phase, request, deployment: whose = deployment }) => {
      return phase === 'swapping' && request.to === undefined && whose === deployment;
    });
}
