import type { Context } from '../support/context.ts';
import { restoreInWords, restoreJournals } from './journal.ts';
import { isRestoring } from './lock.ts';

/**
 * Why what is on this host belongs together no longer: a restore that has begun to replace it, and neither ended nor
 * went back. One to another directory replaces nothing. A journal that cannot be read says nothing here; whoever
 * restores is told.
 */
export async function halfReplaced(context: Pick<Context, 'stateDir' | 'now'>): Promise<string | undefined> {
  const journals = await restoreJournals(context.stateDir).catch(() => []);
  const replacing = journals.find(
    ({ record: { phase, request } }) => phase === 'swapping' && request.to === undefined,
  );
  if (replacing === undefined) return undefined;
  const which = restoreInWords(replacing.record);
  return isRestoring(context)
    ? `${which} is replacing what is here: back up again when it has ended`
    : `${which} has replaced a part of what is here: finish it with dockerctl restore --resume, or take it back with --rollback`;
}
