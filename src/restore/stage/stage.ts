import { labelNames } from '../../deployment/names.ts';
import type { Context } from '../../support/context.ts';
import type { Decided, RunPorts } from '../decided.ts';
import type { RestoreHost } from '../host.ts';
import type { RestoreJournal } from '../journal.ts';
import type { Target } from '../places.ts';
import { findGround } from '../plan/ground.ts';
import { lackedImages, refuseMissingImages } from '../plan/images.ts';
import type { SelectedSource } from '../plan/select.ts';
import { saveBefore } from '../sources/commands.ts';
import { type DatabasePorts, loadDatabase } from '../sources/databases.ts';
import { loadSnapshotImages } from '../sources/images.ts';
import { rebuildData } from '../sources/rebuild.ts';
import type { MetadataOptions } from '../tree/metadata.ts';
import { stageFiles } from './files.ts';

/**
 * Makes ready, beside what lives, all that can be made ready before anything stops; the journal knows how far it came.
 */
export async function stageEverything(
  decided: Decided,
  ports: RunPorts,
  databasePorts: DatabasePorts | undefined,
  journal: RestoreJournal,
  metadata: MetadataOptions,
  context: Context,
): Promise<void> {
  const { request, snapshot, selected } = decided;
  const { repository, host } = ports;
  const { record } = journal;
  if (host) await bringImages(decided, ports, host, context);
  if (host) await createVolumes(record.createdVolumes, snapshot.deployment, host);
  const ground = await findGround(selected, host, request.to, context.stateDir);
  record.kept = [...ground.layout.kept];
  record.leftOutRules = ground.targets.flatMap(({ source, path }) => {
    const filter = selected.find(({ summary }) => summary.name === source)?.filter;
    return filter === undefined ? [] : [{ path, filter }];
  });
  const rebuild = (source: SelectedSource, target: Target) =>
    rebuildData(source, target, databasePorts!, journal, metadata, context);
  await stageFiles({ repository, snapshot, selected, ground, journal, metadata, rebuild }, context);
  if (databasePorts) await stageServed(journal, databasePorts, context);
}

async function bringImages(
  { snapshot, selected, plan }: Decided,
  { repository }: RunPorts,
  host: RestoreHost,
  context: Context,
): Promise<void> {
  if (!selected.some(({ images }) => images)) return;
  await loadSnapshotImages(repository, snapshot, host, context);
  refuseMissingImages(lackedImages(plan.start, await host.services.list()));
}

async function createVolumes(
  names: readonly string[],
  deploymentName: string,
  { engine, deployment }: RestoreHost,
): Promise<void> {
  for (const name of names) {
    const {
      driver,
      driverOptions = {},
      labels,
    } = deployment.volumes.find((volume) => volume.name === name) ?? {};
    await engine.volumes.create(name, {
      driverOptions,
      labels: { ...labels, [labelNames.deployment]: deploymentName },
      ...(driver !== undefined && { driver }),
    });
  }
}

/** What goes through services that run: databases are loaded beside, and what commands would replace is saved. */
async function stageServed(journal: RestoreJournal, ports: DatabasePorts, context: Context): Promise<void> {
  const { record } = journal;
  for (const database of record.databases) {
    const stays = record.running.includes(database.service) && !record.stop.includes(database.service);
    if (stays) await loadDatabase(database, ports, journal, context);
  }
  for (const command of record.commands) {
    const answers = command.service === undefined || record.running.includes(command.service);
    if (answers) await saveBefore(command, ports, journal, context);
  }
}
