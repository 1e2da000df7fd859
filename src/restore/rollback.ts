import { databaseFor } from '../databases/databases.ts';
import { unlessGone } from '../engine/unless-gone.ts';
import type { Context } from '../support/context.ts';
import { ContainerStateError, messageOf } from '../support/errors.ts';
import { toText } from '../support/posix/byte-path.ts';
import { takeAdoptedFileAway } from './deployment-file/adopted-file.ts';
import type { RestoreHost } from './host.ts';
import { endJournal, forgetBefore, type RestoreJournal, saveJournal } from './journal.ts';
import { joinPath } from './places.ts';
import { noteReplaced } from './replaced.ts';
import { serverOf } from './services/server-of.ts';
import { isRunning } from './services/services.ts';
import { undoCommand } from './sources/commands.ts';
import { removeSpare } from './sources/rebuild.ts';
import { carryBack } from './swap/carry-over.ts';
import { removeEmptyDirectory, setModificationTime } from './swap/directories.ts';
import { writeMetadata } from './swap/kept-directory.ts';
import { revertMoves } from './swap/moves.ts';
import { namesIn, openStaging, removeStaging } from './swap/staging.ts';
import type { MetadataOptions } from './tree/metadata.ts';

type UndoPorts = Pick<RestoreHost, 'engine' | 'services'>;

/**
 * Takes a restore back, however far it came: old data and databases return, services that ran run again, and what was
 * made for the restore goes. Every step can be repeated.
 *
 * @throws {ContainerStateError} when it cannot; the journal then stays, for another attempt
 */
export async function rollBack(
  journal: RestoreJournal,
  ports: UndoPorts | undefined,
  metadata: MetadataOptions,
  context: Context,
): Promise<void> {
  await takingBack(journal, async () => {
    if (journal.record.phase !== 'staging') await revertSwap(journal, ports, metadata, context);
    await undoStaging(journal, ports, context);
    await endJournal(journal);
  });
}

/**
 * Removes what a restore staged that has not begun to swap. Its journal stays, for it is to begin over.
 * @throws {ContainerStateError} when it cannot
 */
export async function unstage(
  journal: RestoreJournal,
  ports: UndoPorts | undefined,
  context: Context,
): Promise<void> {
  await takingBack(journal, async () => {
    await undoStaging(journal, ports, context);
    await forgetBefore(journal);
    const databases = journal.record.databases.map(({ loaded: _, ...database }) => database);
    const nothing = { createdDirectories: [], createdVolumes: [], places: [], times: [], rebuilt: [] };
    Object.assign(journal.record, nothing, { databases, reverted: false });
    await saveJournal(journal);
  });
}

async function takingBack(journal: RestoreJournal, undo: () => Promise<void>): Promise<void> {
  try {
    await undo();
  } catch (cause) {
    throw new ContainerStateError(`taking the restore back: ${messageOf(cause)}`, {
      cause,
      advice: 'Mend what it names, then: dockerctl restore --rollback',
      facts: { restore: journal.record.id, journal: journal.path },
    });
  }
}

async function revertSwap(
  journal: RestoreJournal,
  ports: UndoPorts | undefined,
  metadata: MetadataOptions,
  context: Context,
): Promise<void> {
  const { record } = journal;
  record.phase = 'swapping';
  await saveJournal(journal);
  const servers = new Set([...record.databases, ...record.commands].flatMap(({ service }) => service ?? []));
  const others = [...new Set([...record.start.toReversed(), ...record.stop])].filter(
    (name) => !servers.has(name),
  );
  if (others.length > 0) await ports!.services.stop(others, context);
  await undoDatabases(journal, ports, context);
  for (const command of record.commands) await undoCommand(command, ports!, context);
  const stopped = [...servers].filter((name) => record.stop.includes(name) || !record.running.includes(name));
  if (stopped.length > 0) await ports!.services.stop(stopped, context);
  for (const { directory, leftOut } of record.places.toReversed())
    carryBack(directory, leftOut ?? [], record.id);
  for (const { directory, moves } of record.places.toReversed()) revertMoves(directory, moves, record.id);
  for (const place of record.places)
    if (place.metadata) writeMetadata(place.directory, place.metadata.before, metadata);
  await noteReplaced(journal, { takenBack: true, now: context.now() });
  record.phase = 'staging';
  record.reverted = true;
  await saveJournal(journal);
}

async function undoStaging(
  journal: RestoreJournal,
  ports: UndoPorts | undefined,
  context: Context,
): Promise<void> {
  if (journal.record.reverted) await bringServicesBack(journal, ports, context);
  else await undoDatabases(journal, ports, context);
  await cleanUp(journal, ports);
}

async function bringServicesBack(
  { record }: RestoreJournal,
  ports: UndoPorts | undefined,
  context: Context,
): Promise<void> {
  const created = record.missing.filter((name) => record.start.includes(name));
  if (created.length > 0) await ports!.services.destroy(created, context);
  if (record.stop.length > 0) await ports!.services.start(record.stop.toReversed(), { ready: true }, context);
}

async function undoDatabases(
  { record }: RestoreJournal,
  ports: UndoPorts | undefined,
  context: Context,
): Promise<void> {
  for (const { service, engine, loaded } of record.databases) {
    if (loaded !== undefined) await ports!.services.start([service], { ready: false }, context);
    else if (!(await isRunning(service, ports!.services))) continue;
    const server = await serverOf(service, ports!);
    const database = await databaseFor(engine);
    await database.ready(server, context);
    if (loaded === undefined) await database.discard(server, record.id, context);
    else await database.undo(server, loaded, context);
  }
}

/** Removes what was made beside the living data. */
async function cleanUp(journal: RestoreJournal, ports: UndoPorts | undefined): Promise<void> {
  const { record } = journal;
  for (const { spare } of record.rebuilt) await removeSpare(spare, ports!.engine);
  for (const { directory } of record.places) {
    expectNothingKept(directory, record.id);
    await removeStaging(directory, record.id);
  }
  if (record.adopted) await takeAdoptedFileAway(record.adopted);
  for (const directory of record.createdDirectories.toReversed()) removeEmptyDirectory(directory);
  for (const { directory, mtime } of record.times) setModificationTime(directory, BigInt(mtime));
  for (const volume of record.createdVolumes) {
    await unlessGone(ports!.engine.volumes.remove(volume));
  }
}

/** What was replaced is the operator's: if it did not go back, it is not removed either. */
function expectNothingKept(directory: string, id: string): void {
  let staging: ReturnType<typeof openStaging>;
  try {
    staging = openStaging(directory, id);
  } catch {
    return; // It was never made whole, and so never held anything old.
  }
  try {
    const [name] = namesIn(staging.old);
    if (name !== undefined) throw new Error(`${toText(joinPath(directory, name))} has not gone back`);
  } finally {
    staging.close();
  }
}
