import { readHostRecord, writeHostRecord } from '../host-record.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/**
 * Remembers on this host which snapshots were in a repository when a check last found nothing wrong with it: retention
 * never removes the newest of them, whoever made it.
 */
export async function recordVerified(
  stateDir: string,
  directory: string,
  snapshots: readonly Snapshot[],
): Promise<void> {
  const ids = snapshots.map(({ id }) => id);
  if (ids.length > 0) await writeHostRecord('verified', stateDir, directory, ids);
}

/** Their ids; nothing when there was no such check. */
export async function readVerified(stateDir: string, directory: string): Promise<ReadonlySet<string>> {
  return readHostRecord('verified', stateDir, directory);
}
