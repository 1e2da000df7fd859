import { dirname, join } from 'node:path';
import { codeOf } from '../support/errors.ts';
import { readJournal, writeJournal } from '../support/journal.ts';
import type { RestoreJournal, RestoreRecord } from './journal.ts';
import { restoreError } from './restore-error.ts';

/** The restore that was the last to replace what a deployment has on this host, or to be taken back. */
export interface LastReplaced extends Pick<RestoreRecord, 'id' | 'started'> {
  takenBack: boolean;
  /** When all of it was there: ISO 8601, for the clock that file systems go by may be some milliseconds late. */
  at: string;
}

/**
 * Notes, before the journal says that it is over, that what is here is another: who reads it meanwhile must know, and
 * the journal may be gone by then.
 */
export async function noteReplaced(
  { path, record: { id, started, deployment } }: RestoreJournal,
  { takenBack, now }: Pick<LastReplaced, 'takenBack'> & { now: Date },
): Promise<void> {
  if (deployment === undefined) return;
  const note = noteFile(dirname(dirname(path)), deployment);
  const last: LastReplaced = { id, started, takenBack, at: now.toISOString() };
  await writeJournal(note, last).catch((error: unknown) => {
    throw restoreError(`writing ${note}`, error);
  });
}

/** `undefined` when nobody knows of any. */
export async function lastReplaced(deployment: string, stateDir: string): Promise<LastReplaced | undefined> {
  const note = noteFile(stateDir, deployment);
  try {
    return await readJournal<LastReplaced>(note);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function noteFile(stateDir: string, deployment: string): string {
  return join(stateDir, 'replaced', `${deployment}.json`);
}
