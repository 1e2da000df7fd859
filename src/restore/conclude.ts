import { messageOf } from '../support/errors.ts';
import { toText } from '../support/posix/byte-path.ts';
import { stagingName } from '../support/staging-name.ts';
import type { Newcomers } from './inventories.ts';
import { endJournal, type RestoreJournal, type RestoreRecord, saveJournal } from './journal.ts';
import { joinPath } from './places.ts';
import { noteReplaced } from './replaced.ts';
import type { ToldLoss } from './salvage/loss.ts';
import { removeStaging } from './swap/staging.ts';

export interface RestoreReport {
  /** Of this restore, for `--rollback`. */
  id: string;
  snapshot: string;
  /** What that tells of itself, and the newer ones that `latest` did not mean. */
  taken: RestoreRecord['taken'];
  sources: { name: string; title: string; files: number; bytes: number }[];
  databases: { service: string; name: string; tables: number; rows: number }[];
  started: string[];
  /** What lives on in the restored trees because backups leave it out. */
  leftOut: string[];
  /** Where the data that was replaced is kept; empty when there was none. */
  kept: string[];
  /** What came after the backup: it is not in the data that was brought back. */
  newcomers: Newcomers[];
  /** What of the snapshot is damaged, and did not come back. */
  losses: ToldLoss[];
  /** What the file systems here could not hold. */
  warnings: string[];
}

/** All is in place and checked. */
export async function recordDone(journal: RestoreJournal, now: Date): Promise<void> {
  await noteReplaced(journal, { takenBack: false, now });
  journal.record.phase = 'done';
  await saveJournal(journal);
}

/**
 * Ends a restore that is done: what was replaced stays for the way back; where there is nothing, all traces go.
 * @param warn is told of those that cannot: the restore is none the worse for it
 */
export async function conclude(
  journal: RestoreJournal,
  warn: (message: string) => void,
): Promise<Omit<RestoreReport, 'warnings' | 'newcomers'>> {
  const { record } = journal;
  const kept = keptData(record);
  if (kept.length === 0)
    await removeTraces(journal).catch((error: unknown) =>
      warn(
        `all is restored; what it took is left behind, and goes with dockerctl restore --drop-old: ${messageOf(error)}`,
      ),
    );
  const loaded = [
    ...record.databases.map(({ service, loaded }) => ({ service, databases: loaded?.databases ?? [] })),
    ...record.rebuilt.map(({ service, loaded }) => ({ service, databases: loaded ?? [] })),
  ];
  const databases = loaded.flatMap(({ service, databases }) =>
    databases.map(({ name, tables, rows }) => ({ service, name, tables, rows })),
  );
  const { id, snapshot, taken, sources, start, losses = [] } = record;
  const leftOut = record.places.flatMap(({ directory, leftOut = [] }) =>
    leftOut.map((path) => toText(joinPath(directory, path))),
  );
  return { id, snapshot, taken, sources, databases, started: start, leftOut, kept, losses };
}

/** Of a restore that is done, with the data that it replaced. */
export async function removeTraces(journal: RestoreJournal): Promise<void> {
  const { id, places } = journal.record;
  for (const { directory } of places) await removeStaging(directory, id);
  await endJournal(journal);
}

/** Where the data that a restore replaced is, in words. */
export function keptData({ id, places, databases, commands }: RestoreRecord): string[] {
  return [
    ...places
      .filter(({ moves }) => moves.some((move) => move.old))
      .map(({ directory }) => toText(`${joinPath(directory, stagingName(id))}/old`)),
    ...databases.flatMap(({ service, loaded }) =>
      (loaded?.databases ?? [])
        .filter(({ existed }) => existed)
        .map(({ kept }) => `database ${kept} of ${service}`),
    ),
    ...commands.flatMap(({ before }) => before ?? []),
  ];
}
