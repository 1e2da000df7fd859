import { databaseFor } from '../databases/databases.ts';
import type { ReadableRepository } from '../repository/repository.ts';
import type { Context } from '../support/context.ts';
import { NotFoundError, SignatureError } from '../support/errors.ts';
import { allOrNothing } from './all-or-nothing.ts';
import { keptData, type RestoreReport } from './conclude.ts';
import type { AdoptedFile } from './deployment-file/adopted-file.ts';
import type { RestoreHost } from './host.ts';
import {
  endJournal,
  isUnfinished,
  type RestoreJournal,
  type RestoreRecord,
  restoreJournals,
  unfinishedJournal,
} from './journal.ts';
import { withRestoreLock } from './lock.ts';
import { prepareRestore, type RestorePorts } from './restore.ts';
import { rollBack } from './rollback.ts';
import { serverOf } from './services/server-of.ts';
import { removeStaging } from './swap/staging.ts';
import { swapEverything } from './swap/swap.ts';
import { metadataOptions } from './tree/metadata.ts';

/** A restore that was killed, or one that is done and could be taken back. */
export interface RestoreStatus
  extends Pick<RestoreRecord, 'id' | 'started' | 'phase' | 'repository' | 'snapshot'> {
  /** Where the data that was replaced is kept. */
  kept: string[];
  /** The directory it wrote to, instead of the host. */
  to: string | undefined;
  /** Whether what the deployment file says may be run on the host itself. */
  hostCommands: boolean;
  /** The deployment file that it brought along. */
  adopted: AdoptedFile | undefined;
}

/** Oldest first; none: nothing is under way and nothing is kept. */
export async function restoreStatus(stateDir: string): Promise<RestoreStatus[]> {
  return (await restoreJournals(stateDir)).map(statusOf);
}

/** The restore that was killed, which `resumeRestore` finishes. */
export async function unfinishedRestore(stateDir: string): Promise<RestoreStatus | undefined> {
  const journal = await unfinishedJournal(stateDir);
  return journal && statusOf(journal);
}

/** The one that `takeBackRestore` takes back: the unfinished one, or else the newest whose old data is kept. */
export async function restoreToTakeBack(stateDir: string): Promise<RestoreStatus | undefined> {
  const journal = await journalToTakeBack(stateDir);
  return journal && statusOf(journal);
}

async function journalToTakeBack(stateDir: string): Promise<RestoreJournal | undefined> {
  const journals = await restoreJournals(stateDir);
  return journals.find(({ record }) => isUnfinished(record)) ?? journals.at(-1);
}

/**
 * Finishes the restore that was killed. One that had not begun to swap starts over; else it goes on where it was, and
 * when it fails everything goes back.
 *
 * @param open opens the repository that the restore reads
 * @throws {NotFoundError} when there is none
 * @throws {SignatureError} without the key for what is still to be read: the restore stays as it is
 */
export async function resumeRestore(
  open: (directory: string) => Promise<ReadableRepository>,
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreReport> {
  const journal = await unfinishedJournal(context.stateDir);
  if (journal === undefined) throw nothingThere('resume');
  const { record } = journal;
  const repository = await open(record.repository);
  try {
    const ports = { host, repository };
    if (willRead(record)) await expectKey(repository, record.snapshot);
    if (record.phase === 'swapping') return await goOn(journal, ports, context);
    await withRestoreLock(context, () => rollBack(journal, host, metadataOptions([]), context));
    return await startOver(record, ports, context);
  } finally {
    await repository.close();
  }
}

/** Whether what is left to do needs more of the snapshot than is staged already. */
function willRead({ phase, databases, commands }: RestoreRecord): boolean {
  return phase !== 'swapping' || commands.length > 0 || databases.some(({ loaded }) => loaded === undefined);
}

/** What fails on the way is taken back: who only forgot the key must still have something to resume. */
async function expectKey(repository: ReadableRepository, name: string): Promise<void> {
  const snapshot = await repository.find(name);
  const [source] = snapshot.sources;
  if (source === undefined) return;
  try {
    for await (const _ of repository.entries(snapshot, source.name)) break;
  } catch (error) {
    if (error instanceof SignatureError) throw error;
  }
}

async function goOn(
  journal: RestoreJournal,
  { repository, host }: RestorePorts,
  context: Context,
): Promise<RestoreReport> {
  const snapshot = await repository.find(journal.record.snapshot);
  const ports = host && { ...host, repository, snapshot };
  return withRestoreLock(context, () =>
    allOrNothing(journal, ports, context, async (metadata) => {
      await swapEverything(journal, ports, metadata, context);
      return [];
    }),
  );
}

async function startOver(
  { request, snapshot, adopted }: RestoreRecord,
  ports: RestorePorts,
  context: Context,
): Promise<RestoreReport> {
  const again = { ...request, snapshot, ...(adopted && { adopted }) };
  return (await prepareRestore(again, ports, context)).run();
}

/**
 * Takes back the restore that `restoreToTakeBack` tells of, and returns which it was.
 * @throws {NotFoundError} when there is none
 */
export async function takeBackRestore(
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreStatus> {
  const journal = await journalToTakeBack(context.stateDir);
  if (journal === undefined) throw nothingThere('take back');
  const status = statusOf(journal);
  await withRestoreLock(context, () => rollBack(journal, host, metadataOptions([]), context));
  return status;
}

/** Drops the data that finished restores replaced. There is no way back from here. */
export async function dropKeptData(
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreStatus[]> {
  const done = (await restoreJournals(context.stateDir)).filter(({ record }) => !isUnfinished(record));
  await withRestoreLock(context, async () => {
    for (const journal of done) await dropOne(journal, host, context);
  });
  return done.map(statusOf);
}

async function dropOne(
  journal: RestoreJournal,
  host: RestoreHost | undefined,
  context: Context,
): Promise<void> {
  for (const { service, engine, loaded } of journal.record.databases) {
    if (!loaded?.databases.some(({ existed }) => existed)) continue;
    const server = await serverOf(service, host!);
    await (await databaseFor(engine)).dropKept(server, loaded, context);
  }
  for (const { directory } of journal.record.places) await removeStaging(directory, journal.record.id);
  await endJournal(journal);
}

function statusOf({ record }: RestoreJournal): RestoreStatus {
  const { id, started, phase, repository, snapshot, adopted } = record;
  const { to, hostCommands = true } = record.request;
  return { id, started, phase, repository, snapshot, to, hostCommands, adopted, kept: keptData(record) };
}

function nothingThere(what: string): NotFoundError {
  return new NotFoundError(`restoring: there is no restore to ${what}`, {
    advice: 'dockerctl restore --status tells which there are',
  });
}
