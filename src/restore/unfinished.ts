import { databaseFor } from '../databases/databases.ts';
import type { ReadableRepository } from '../repository/repository.ts';
import type { Context } from '../support/context.ts';
import { NotFoundError } from '../support/errors.ts';
import { conclude, keptData, type RestoreReport } from './conclude.ts';
import type { AdoptedFile } from './deployment-file/adopted-file.ts';
import type { RestoreHost } from './host.ts';
import { findNewcomers } from './inventories.ts';
import { endJournal, type RestoreJournal, type RestoreRecord, restoreJournals } from './journal.ts';
import { prepareRestore, type RestorePorts } from './restore.ts';
import { rollBack } from './rollback.ts';
import { lockRestores } from './run.ts';
import { removeStaging } from './swap/staging.ts';
import { swapEverything } from './swap/swap.ts';
import type { MetadataOptions } from './tree/metadata.ts';

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
  return (await restoreJournals(stateDir)).map(({ record }) => {
    const { id, started, phase, repository, snapshot, adopted } = record;
    const { to, hostCommands = true } = record.request;
    return { id, started, phase, repository, snapshot, to, hostCommands, adopted, kept: keptData(record) };
  });
}

/**
 * Finishes the restore that was killed. One that had not begun to swap starts over; else it goes on where it was, and
 * when it fails everything goes back.
 *
 * @param open opens the repository that the restore reads
 */
export async function resumeRestore(
  open: (directory: string) => Promise<ReadableRepository>,
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreReport> {
  const journal = await unfinishedJournal(context.stateDir);
  const { record } = journal;
  const repository = await open(record.repository);
  try {
    const full = { host, repository };
    if (record.phase === 'swapping') return await goOn(journal, full, context);
    await withLock(context, () => rollBack(journal, host, quietly([]), context));
    const request = { ...record.request, snapshot: record.snapshot };
    const { adopted } = record;
    const prepared = await prepareRestore({ ...request, ...(adopted && { adopted }) }, full, context);
    return await prepared.run();
  } finally {
    await repository.close();
  }
}

/** Takes back the unfinished restore, or the newest one whose old data is kept. Returns which it was. */
export async function takeBackRestore(
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreStatus> {
  const journals = await restoreJournals(context.stateDir);
  const journal = journals.find(({ record }) => record.phase !== 'done') ?? journals.at(-1);
  if (journal === undefined) throw nothingThere('take back');
  const [status] = (await restoreStatus(context.stateDir)).filter(({ id }) => id === journal.record.id);
  await withLock(context, () => rollBack(journal, host, quietly([]), context));
  return status!;
}

/** Drops the data that finished restores replaced. There is no way back from here. */
export async function dropKeptData(
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreStatus[]> {
  const done = (await restoreJournals(context.stateDir)).filter(({ record }) => record.phase === 'done');
  const dropped = (await restoreStatus(context.stateDir)).filter(({ phase }) => phase === 'done');
  await withLock(context, async () => {
    for (const journal of done) await dropOne(journal, host, context);
  });
  return dropped;
}

async function dropOne(
  journal: RestoreJournal,
  host: RestoreHost | undefined,
  context: Context,
): Promise<void> {
  for (const { service, engine, loaded } of journal.record.databases) {
    if (!loaded?.databases.some(({ existed }) => existed)) continue;
    const server = { engine: host!.engine, container: await host!.services.container(service) };
    await (await databaseFor(engine)).dropKept(server, loaded, context);
  }
  for (const { directory } of journal.record.places) await removeStaging(directory, journal.record.id);
  await endJournal(journal);
}

async function goOn(journal: RestoreJournal, ports: RestorePorts, context: Context): Promise<RestoreReport> {
  const warnings: string[] = [];
  const { repository, host } = ports;
  const snapshot = await repository.find(journal.record.snapshot);
  return withLock(context, async () => {
    try {
      await swapEverything(journal, host && { ...host, repository, snapshot }, quietly(warnings), context);
    } catch (error) {
      await rollBack(journal, host, quietly([]), { ...context, signal: new AbortController().signal });
      throw error;
    }
    const databasePorts = host && { ...host, repository, snapshot };
    const newcomers = await findNewcomers(databasePorts, [], quietly(warnings).warn, context);
    return { ...(await conclude(journal)), newcomers, warnings };
  });
}

async function withLock<T>(context: Context, act: () => Promise<T>): Promise<T> {
  const lock = await lockRestores(context);
  try {
    return await act();
  } finally {
    lock.release();
  }
}

async function unfinishedJournal(stateDir: string): Promise<RestoreJournal> {
  const journal = (await restoreJournals(stateDir)).find(({ record }) => record.phase !== 'done');
  if (journal === undefined) throw nothingThere('resume');
  return journal;
}

function nothingThere(what: string): NotFoundError {
  return new NotFoundError(`restoring: there is no restore to ${what}`, {
    advice: 'dockerctl restore --status tells which there are',
  });
}

function quietly(warnings: string[]): MetadataOptions {
  return { owners: process.getuid?.() === 0, warn: (message) => void warnings.push(message) };
}
