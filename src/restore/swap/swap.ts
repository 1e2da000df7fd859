import type { Context } from '../../support/context.ts';
import { isInside } from '../../support/path-containment.ts';
import { type RestoreJournal, saveJournal } from '../journal.ts';
import { parentDirectory } from '../places.ts';
import { startAndCheck } from '../services/start-and-check.ts';
import { bringBack } from '../sources/commands.ts';
import { type DatabasePorts, loadDatabase, swapDatabase } from '../sources/databases.ts';
import { expectServing } from '../sources/rebuild.ts';
import type { MetadataOptions } from '../tree/metadata.ts';
import { carryOver } from './carry-over.ts';
import { writeMetadata } from './kept-directory.ts';
import { findLeftOut } from './left-out.ts';
import { applyMoves, planCompanions } from './moves.ts';

/**
 * Exchanges the data and brings the services up: stop, rename, load what could not be loaded before, rename databases,
 * start in order, each ready before the next. Every step can be repeated, so that this also finishes what a killed
 * process began.
 *
 * @throws {ChecksFailedError} when a service does not become ready with the restored data
 */
export async function swapEverything(
  journal: RestoreJournal,
  ports: DatabasePorts | undefined,
  metadata: MetadataOptions,
  context: Context,
): Promise<void> {
  const { record } = journal;
  record.phase = 'swapping';
  await saveJournal(journal);
  if (record.stop.length > 0) await ports!.services.stop(record.stop, context);
  context.signal.throwIfAborted();
  await decideLeftOut(journal);
  for (const { directory, moves } of record.places) applyMoves(directory, moves, record.id);
  for (const { directory, leftOut } of record.places) carryOver(directory, leftOut ?? [], record.id);
  for (const place of record.places)
    if (place.metadata) writeMetadata(place.directory, place.metadata.after, metadata);
  for (const database of record.databases) {
    if (database.loaded === undefined) {
      await ports!.services.start([database.service], { ready: false }, context);
      await loadDatabase(database, ports!, journal, context);
    }
    await swapDatabase(database, ports!, context);
  }
  for (const command of record.commands) await bringBack(command, ports!, journal, context);
  if (record.start.length > 0) await startAndCheck(record.start, ports!.services, context);
  for (const rebuilt of record.rebuilt) await expectServing(rebuilt, ports!, context);
}

/** Once nobody writes any more, and before anything has moved. */
async function decideLeftOut(journal: RestoreJournal): Promise<void> {
  const { record } = journal;
  const kept = new Set(record.kept);
  if (record.places.every(({ leftOut }) => leftOut !== undefined)) return;
  for (const place of record.places) {
    const rules = record.leftOutRules.filter(
      ({ path }) =>
        path === place.directory ||
        isInside(place.directory, path) ||
        parentDirectory(path) === place.directory,
    );
    place.moves.push(...planCompanions(place.directory, place.companions, record.id));
    place.leftOut = rules.flatMap((rule) => findLeftOut(rule, place.directory, kept, record.id));
  }
  await saveJournal(journal);
}
