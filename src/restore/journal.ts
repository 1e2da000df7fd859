import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type {
  LoadedDatabase,
  LoadedDatabases,
  RebuiltEngine,
  RenamedEngine,
} from '../databases/databases.ts';
import { listJournals, readJournal, removeJournal, writeJournal } from '../support/journal.ts';
import { formatMoment } from '../support/quantities.ts';
import type { AdoptedRecord } from './deployment-file/adopted-file.ts';
import { restoreError } from './restore-error.ts';
import type { ToldLoss } from './salvage/loss.ts';
import type { CommandRecord } from './sources/commands.ts';
import type { StoredMetadata } from './swap/kept-directory.ts';
import type { LeftOutRule } from './swap/left-out.ts';
import type { Move } from './swap/moves.ts';

/**
 * What a restore is about to do and has done; it is on disk before each step it tells of. It decides, not what the
 * directories happen to look like: from any moment on, it says how to finish and how to take everything back.
 */
export interface RestoreRecord {
  version: 1;
  id: string;
  started: string;
  /** Absolute path of the repository, and the snapshot's id. */
  repository: string;
  snapshot: string;
  /** Whose data and services it replaces. */
  deployment?: string;
  /** What the snapshot tells of itself, and the newer ones that `latest` did not mean; times as text. */
  taken?: Taken;
  request: {
    only: readonly string[];
    full: boolean;
    to: string | undefined;
    /** `false`: nothing that the deployment file says is run on the host itself, on the way back neither. */
    hostCommands?: boolean;
    skipDamaged?: boolean;
  };
  adopted?: AdoptedRecord;
  /** What of the snapshot is damaged, and does not come back. */
  losses?: ToldLoss[];
  sources: { name: string; title: string; files: number; bytes: number }[];
  /**
   * `staging`: nothing that lives has changed. `swapping`: services stop, data is being exchanged, services start.
   * `done`: all is in place, and what was replaced is kept.
   */
  phase: 'staging' | 'swapping' | 'done';
  /** The data has gone back to what it was; the services are still to follow. */
  reverted?: boolean;
  createdDirectories: string[];
  createdVolumes: string[];
  places: PlaceRecord[];
  /** Modification times, in nanoseconds since 1970, of the directories that staging touches. */
  times: { directory: string; mtime: string }[];
  /** What backups of the targets leave out, and which directories stay where they are. */
  leftOutRules: LeftOutRule[];
  kept: string[];
  databases: DatabaseRecord[];
  rebuilt: RebuiltRecord[];
  commands: CommandRecord[];
  /** Services to stop, and those to start, each in the order it happens. */
  stop: string[];
  start: string[];
  /** Services that ran before, and those that had no container. */
  running: string[];
  missing: string[];
}

export interface Taken {
  started: string;
  host: string;
  deployment: string;
  passedOver: { id: string; started: string | undefined; reason: string }[];
}

export interface PlaceRecord {
  directory: string;
  moves: Move[];
  /** Names that go with those that are moved; whether they are there is known once the services have stopped. */
  companions: { name: string; of: string }[];
  /** What the backup left out and goes over into the restored tree; known once the services have stopped. */
  leftOut?: string[];
  /** Of the directory itself, where the snapshot has it. */
  metadata?: { before: StoredMetadata; after: StoredMetadata };
}

export interface DatabaseRecord {
  source: string;
  service: string;
  engine: RenamedEngine;
  loaded?: LoadedDatabases;
}

/** A database whose data directory is made anew and exchanged like any other. */
export interface RebuiltRecord {
  source: string;
  service: string;
  engine: RebuiltEngine;
  /** Name of the container that makes it. */
  spare: string;
  loaded?: Pick<LoadedDatabase, 'name' | 'tables' | 'rows'>[];
}

export interface RestoreJournal {
  path: string;
  record: RestoreRecord;
}

/** Writes the first record of a restore, durably, under a new id; where that fails, no record stays. */
export async function beginJournal(
  stateDir: string,
  record: Omit<RestoreRecord, 'version' | 'id'>,
): Promise<RestoreJournal> {
  const id = randomBytes(4).toString('hex');
  const journal: RestoreJournal = {
    path: join(journalDirectory(stateDir), `${id}.json`),
    record: { version: 1, id, ...record },
  };
  await saveJournal(journal).catch(async (error: unknown) => {
    await removeJournal(journal.path).catch(() => {});
    throw error;
  });
  return journal;
}

/** The same of one that begins over: until that is written, the one before says so. */
export async function beginJournalOver(
  { path, record: { id } }: RestoreJournal,
  record: Omit<RestoreRecord, 'version' | 'id'>,
): Promise<RestoreJournal> {
  const journal: RestoreJournal = { path, record: { version: 1, id, ...record } };
  await saveJournal(journal);
  return journal;
}

/** Writes the record as it is now, durably: what happens next may be the last. */
export async function saveJournal({ path, record }: RestoreJournal): Promise<void> {
  await writeJournal(path, record).catch((error: unknown) => {
    throw restoreError(`writing ${path}`, error);
  });
}

/** Forgets a restore, and what its commands kept of before. */
export async function endJournal(journal: RestoreJournal): Promise<void> {
  await forgetBefore(journal);
  await remove(journal.path);
}

/** What commands printed before the restore. */
export async function forgetBefore({ record }: RestoreJournal): Promise<void> {
  for (const command of record.commands) {
    if (command.before !== undefined) await remove(command.before);
    delete command.before;
  }
}

async function remove(path: string): Promise<void> {
  await removeJournal(path).catch((error: unknown) => {
    throw restoreError(`removing ${path}`, error);
  });
}

/** Every restore that is unfinished, or done with its old data kept; oldest first. */
export async function restoreJournals(stateDir: string): Promise<RestoreJournal[]> {
  const directory = journalDirectory(stateDir);
  const paths = await listJournals(directory).catch((error: unknown) => {
    throw restoreError(`reading ${directory}`, error);
  });
  const journals = await Promise.all(
    paths.map(async (path) => ({ path, record: await readJournal<RestoreRecord>(path) })),
  );
  return journals.sort((a, b) => (a.record.started < b.record.started ? -1 : 1));
}

/** Whether it was killed before all was in place. */
export function isUnfinished({ phase }: Pick<RestoreRecord, 'phase'>): boolean {
  return phase !== 'done';
}

/** Of the restore that was killed, unless it is still under way (`isRestoring`). */
export async function unfinishedJournal(stateDir: string): Promise<RestoreJournal | undefined> {
  return (await restoreJournals(stateDir)).find(({ record }) => isUnfinished(record));
}

/** As messages call a restore: `the restore 1a2b3c4d begun 2026-11-22 15:34:36 +01:00`. */
export function restoreInWords({ id, started }: Pick<RestoreRecord, 'id' | 'started'>): string {
  return `the restore ${id} begun ${formatMoment(new Date(started))}`;
}

function journalDirectory(stateDir: string): string {
  return join(stateDir, 'restores');
}
