import { databaseFor } from '../databases/databases.ts';
import type { ReadableRepository } from '../repository/repository.ts';
import type { Context } from '../support/context.ts';
import { NotFoundError, SignatureError } from '../support/errors.ts';
import { allOrNothing } from './all-or-nothing.ts';
import { keptData, type RestoreReport, removeTraces } from './conclude.ts';
import type { AdoptedFile } from './deployment-file/adopted-file.ts';
import { expectDeployment, type RestoreHost } from './host.ts';
import {
  isUnfinished,
  type RestoreJournal,
  type RestoreRecord,
  restoreJournals,
  unfinishedJournal,
} from './journal.ts';
import { isRestoring, withRestoreLock } from './lock.ts';
import { type RestorePorts, restoreOver } from './restore.ts';
import { rollBack, unstage } from './rollback.ts';
import { serverOf } from './services/server-of.ts';
import { swapEverything } from './swap/swap.ts';
import { metadataOptions } from './tree/metadata.ts';

/** A restore that was killed or is under way, or one that is done and could be taken back. */
export interface RestoreStatus
  extends Pick<RestoreRecord, 'id' | 'started' | 'phase' | 'repository' | 'snapshot'> {
  /** Somebody is at it, in this process or another. */
  underWay: boolean;
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
export async function restoreStatus(context: Here): Promise<RestoreStatus[]> {
  return (await restoreJournals(context.stateDir)).map((journal) => lookAt(journal, context));
}

type Here = Pick<Context, 'stateDir' | 'now'>;

/** The restore that was killed, which `resumeRestore` finishes. */
export async function unfinishedRestore(context: Here): Promise<RestoreStatus | undefined> {
  const journal = await unfinishedJournal(context.stateDir);
  return journal && lookAt(journal, context);
}

/** The one that `takeBackRestore` takes back: the unfinished one, or else the newest whose old data is kept. */
export async function restoreToTakeBack(context: Here): Promise<RestoreStatus | undefined> {
  const journal = await journalToTakeBack(context.stateDir);
  return journal && lookAt(journal, context);
}

async function journalToTakeBack(stateDir: string): Promise<RestoreJournal | undefined> {
  const journals = await restoreJournals(stateDir);
  return journals.find(({ record }) => isUnfinished(record)) ?? journals.at(-1);
}

/**
 * Finishes the restore that was killed. One that had not begun to swap starts over, and stays unfinished when it cannot
 * be done; else it goes on where it was. When it fails on the way, everything goes back.
 *
 * @param open opens the repository that the restore reads
 * @throws {NotFoundError} when there is none @throws {LockedError} when it is under way
 * @throws {SignatureError} without the key for what is still to be read: the restore stays as it is
 */
export async function resumeRestore(
  open: (directory: string) => Promise<ReadableRepository>,
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreReport> {
  const killed = await unfinishedJournal(context.stateDir);
  if (killed === undefined) throw nothingThere('resume');
  const repository = await open(killed.record.repository);
  const ports = { host, repository };
  try {
    return await withRestoreLock(context, async () => {
      const journal = await unfinishedJournal(context.stateDir);
      if (journal?.record.id !== killed.record.id) throw nothingThere('resume');
      expectDeployment(journal.record, host);
      if (willRead(journal.record)) await expectKey(repository, journal.record.snapshot);
      if (journal.record.phase === 'swapping') return goOn(journal, ports, context);
      return startOver(journal, ports, context);
    });
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
  return allOrNothing(journal, ports, context, async (metadata) => {
    await swapEverything(journal, ports, metadata, context);
    return [];
  });
}

/** What was staged is in part only, and takes the room that it needs now. */
async function startOver(
  journal: RestoreJournal,
  ports: RestorePorts,
  context: Context,
): Promise<RestoreReport> {
  await unstage(journal, ports.host, context);
  const { request, snapshot, adopted } = journal.record;
  return restoreOver(journal, { ...request, snapshot, ...(adopted && { adopted }) }, ports, context);
}

/**
 * Takes back the restore that `restoreToTakeBack` tells of, and returns which it was.
 * @param asked id of the one that it told of: whoever waited for an answer meanwhile takes back no other
 * @throws {NotFoundError} when there is none @throws {LockedError} when it is under way
 */
export async function takeBackRestore(
  host: RestoreHost | undefined,
  context: Context,
  asked?: string,
): Promise<RestoreStatus> {
  const wanted = asked ?? (await journalToTakeBack(context.stateDir))?.record.id;
  if (wanted === undefined) throw nothingThere('take back');
  return withRestoreLock(context, async () => {
    const journal = await journalToTakeBack(context.stateDir);
    if (journal?.record.id !== wanted) throw nothingThere('take back');
    expectDeployment(journal.record, host);
    const status = statusOf(journal);
    await rollBack(journal, host, metadataOptions([]), context);
    return status;
  });
}

/** Drops the data that finished restores replaced. There is no way back from here. */
export async function dropKeptData(
  host: RestoreHost | undefined,
  context: Context,
): Promise<RestoreStatus[]> {
  return withRestoreLock(context, async () => {
    const done = (await restoreJournals(context.stateDir)).filter(({ record }) => !isUnfinished(record));
    for (const journal of done) await dropOne(journal, host, context);
    return done.map((journal) => statusOf(journal));
  });
}

async function dropOne(
  journal: RestoreJournal,
  host: RestoreHost | undefined,
  context: Context,
): Promise<void> {
  for (const { service, engine, loaded } of journal.record.databases) {
    if (!loaded?.databases.some(({ existed }) => existed)) continue;
    expectDeployment(journal.record, host);
    const server = await serverOf(service, host!);
    await (await databaseFor(engine)).dropKept(server, loaded, context);
  }
  await removeTraces(journal);
}

/** From outside: whoever holds the lock would take itself for another. */
function lookAt(journal: RestoreJournal, context: Here): RestoreStatus {
  return statusOf(journal, isUnfinished(journal.record) && isRestoring(context));
}

function statusOf({ record }: RestoreJournal, underWay = false): RestoreStatus {
  const { id, started, phase, repository, snapshot, adopted } = record;
  const { to, hostCommands = true } = record.request;
  const about = { id, started, phase, underWay, repository, snapshot };
  return { ...about, to, hostCommands, adopted, kept: keptData(record) };
}

function nothingThere(what: string): NotFoundError {
  return new NotFoundError(`restoring: there is no restore to ${what}`, {
    advice: 'dockerctl restore --status tells which there are',
  });
}
