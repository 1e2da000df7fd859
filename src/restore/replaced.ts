import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../support/errors.ts';
import { readJournal, writeJournal } from '../support/journal.ts';
import type { RestoreJournal, RestoreRecord } from './journal.ts';
import { restoreError } from './restore-error.ts';

/** The restore that was the last to replace what a deployment has on this host, or to be taken back. */
export interface LastReplaced extends Pick<RestoreRecord, 'id' | 'started'> {
  takenBack: boolean;
  at: Date;
}

/**
 * Notes, before the journal says that it is over, that what is here is another: who reads it meanwhile must know, and
 * the journal may be gone by then.
 */
export async function noteReplaced(
  { path, record: { id, started, deployment } }: RestoreJournal,
  { takenBack }: Pick<LastReplaced, 'takenBack'>,
): Promise<void> {
  if (deployment === undefined) return;
  const note = noteFile(dirname(dirname(path)), deployment);
  await writeJournal(note, { id, started, takenBack }).catch((error: unknown) => {
    throw restoreError(`writing ${note}`, error);
  });
}

/** `undefined` when nobody knows of any. */
export async function lastReplaced(deployment: string, stateDir: string): Promise<LastReplaced | undefined> {
  const note = noteFile(stateDir, deployment);
  try {
    const { mtime: at } = await stat(note);
    return { ...(await readJournal<Omit<LastReplaced, 'at'>>(note)), at };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function noteFile(stateDir: string, deployment: string): string {
  return join(stateDir, 'replaced', `${deployment}.json`);
}
