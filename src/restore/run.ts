import { join } from 'node:path';
import { labelNames } from '../deployment/names.ts';
import type { Repository, Snapshot } from '../repository/repository.ts';
import type { Context } from '../support/context.ts';
import { makeDirectoryDurably } from '../support/durable.ts';
import { messageOf } from '../support/errors.ts';
import { acquireLock, type Lock } from '../support/lock.ts';
import { toText } from '../support/posix/byte-path.ts';
import { stagingName } from '../support/staging-name.ts';
import { saveBefore } from './commands.ts';
import { type DatabasePorts, loadDatabase } from './databases.ts';
import type { RestoreHost } from './host.ts';
import { lackedImages, loadSnapshotImages, needsImages, refuseMissingImages } from './images.ts';
import { type Newcomers, newcomers, savedInventories, type Taken, takeInventories } from './inventories.ts';
import { beginJournal, endJournal, type RestoreJournal, type RestoreRecord, saveJournal } from './journal.ts';
import { joinPath } from './places.ts';
import type { RestorePlan } from './plan/plan.ts';
import type { SelectedSource, Selection } from './plan/select.ts';
import { findGround } from './plan/survey.ts';
import { rollBack } from './rollback.ts';
import type { ServiceState } from './services.ts';
import { stageFiles } from './stage.ts';
import { removeStaging } from './swap/staging.ts';
import { swapEverything } from './swap.ts';
import type { MetadataOptions } from './tree/metadata.ts';

/** What was decided before anything changes. */
export interface Decided {
  request: Selection;
  snapshot: Snapshot;
  selected: readonly SelectedSource[];
  plan: RestorePlan;
  services: readonly ServiceState[];
}

export interface RunPorts {
  repository: Repository;
  host: RestoreHost | undefined;
}

export interface RestoreReport {
  /** Of this restore, for `--rollback`. */
  id: string;
  snapshot: string;
  sources: { name: string; title: string; files: number; bytes: number }[];
  databases: { service: string; name: string; tables: number; rows: number }[];
  started: string[];
  /** What lives on in the restored trees because backups leave it out. */
  leftOut: string[];
  /** Where the data that was replaced is kept; empty when there was none. */
  kept: string[];
  /** What came after the backup: it is not in the data that was brought back. */
  newcomers: Newcomers[];
  /** What the file systems here could not hold. */
  warnings: string[];
}

/** Stages, swaps, checks. A failure, Ctrl-C included, leaves everything as it was; a kill leaves a journal. */
export async function runRestore(
  decided: Decided,
  ports: RunPorts,
  context: Context,
): Promise<RestoreReport> {
  const lock = await lockRestores(context);
  try {
    const warnings: string[] = [];
    const metadata = {
      owners: process.getuid?.() === 0,
      warn: (message: string) => void warnings.push(message),
    };
    const journal = await beginJournal(context.stateDir, await recordOf(decided, ports, context));
    const databasePorts = ports.host && {
      ...ports.host,
      repository: ports.repository,
      snapshot: decided.snapshot,
    };
    const before: Taken[] = [];
    try {
      if (ports.host) before.push(...(await takeInventories(ports.host, metadata.warn, context)));
      await stageEverything(decided, ports, databasePorts, journal, metadata, context);
      await swapEverything(journal, databasePorts, metadata, context);
    } catch (error) {
      context.progress.note('putting everything back');
      await rollBack(journal, ports.host, metadata, { ...context, signal: new AbortController().signal });
      throw error;
    }
    const newcomers = await findNewcomers(databasePorts, before, metadata.warn, context);
    return { ...(await conclude(journal)), newcomers, warnings };
  } finally {
    lock.release();
  }
}

/** Compares what the inventories told before and tell now with what they told when the backup was made. */
export async function findNewcomers(
  ports: DatabasePorts | undefined,
  before: readonly Taken[],
  warn: (message: string) => void,
  context: Context,
): Promise<Newcomers[]> {
  const inventories = ports?.deployment.backup?.inventories ?? [];
  if (ports === undefined || inventories.length === 0) return [];
  try {
    const now = [...before, ...(await takeInventories(ports, warn, context))];
    return newcomers(await savedInventories(ports.repository, ports.snapshot), now, inventories);
  } catch (error) {
    // The restore is done and checked: what cannot be told about it does not undo it.
    warn(`comparing inventories: ${messageOf(error)}`);
    return [];
  }
}

/** One restore at a time on a host. @throws {LockedError} */
export async function lockRestores({ stateDir, now }: Context): Promise<Lock> {
  await makeDirectoryDurably(stateDir);
  return acquireLock(join(stateDir, 'restore.lock'), { mode: 'exclusive', purpose: 'restore', now: now() });
}

/** All is in place and checked: what was replaced stays for the way back; where there is nothing, all traces go. */
export async function conclude(
  journal: RestoreJournal,
): Promise<Omit<RestoreReport, 'warnings' | 'newcomers'>> {
  const { record } = journal;
  const kept = keptData(record);
  record.phase = 'done';
  await saveJournal(journal);
  if (kept.length === 0) {
    for (const { directory } of record.places) await removeStaging(directory, record.id);
    await endJournal(journal);
  }
  const databases = record.databases.flatMap(({ service, loaded }) =>
    (loaded?.databases ?? []).map(({ name, tables, rows }) => ({ service, name, tables, rows })),
  );
  const { id, snapshot, sources, start } = record;
  const leftOut = record.places.flatMap(({ directory, leftOut = [] }) =>
    leftOut.map((path) => toText(joinPath(directory, path))),
  );
  return { id, snapshot, sources, databases, started: start, leftOut, kept };
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

async function recordOf(
  { request, snapshot, selected, plan, services }: Decided,
  { repository, host }: RunPorts,
  context: Context,
): Promise<Omit<RestoreRecord, 'version' | 'id'>> {
  const createdVolumes: string[] = [];
  for (const { volume } of selected) {
    if (volume !== undefined && !(await host!.engine.volumes.inspect(volume))) createdVolumes.push(volume);
  }
  const namesOf = (state: ServiceState['state']) => {
    return services.filter((service) => service.state === state).map(({ name }) => name);
  };
  return {
    started: context.now().toISOString(),
    repository: repository.directory,
    snapshot: snapshot.id,
    request: { only: request.only, full: request.full, to: request.to },
    sources: selected.map(({ summary: { name, title, files, bytes } }) => ({ name, title, files, bytes })),
    phase: 'staging',
    createdDirectories: [],
    createdVolumes,
    places: [],
    times: [],
    leftOutRules: [],
    kept: [],
    databases: selected.flatMap(({ summary, database }) =>
      database === undefined ? [] : [{ source: summary.name, ...database }],
    ),
    commands: selected.flatMap(({ summary, command }) => {
      if (command === undefined) return [];
      const { service, run, restore, timeout } = command;
      return [{ source: summary.name, service, run, restore, timeout }];
    }),
    stop: plan.stop,
    start: plan.start,
    running: namesOf('running'),
    missing: namesOf('missing'),
  };
}

async function stageEverything(
  { request, snapshot, selected, plan, services }: Decided,
  { repository, host }: RunPorts,
  databasePorts: DatabasePorts | undefined,
  journal: RestoreJournal,
  metadata: MetadataOptions,
  context: Context,
): Promise<void> {
  const { record } = journal;
  const images = selected.find((source) => source.images);
  if (images && host && needsImages(plan.start, services)) {
    await loadSnapshotImages(repository, snapshot, images.summary.name, host, context);
    refuseMissingImages(lackedImages(plan.start, await host.services.list()));
  }
  for (const name of record.createdVolumes) {
    const volumes = host!.deployment.volumes;
    const { driver, driverOptions = {}, labels } = volumes.find((volume) => volume.name === name) ?? {};
    await host!.engine.volumes.create(name, {
      driverOptions,
      labels: { ...labels, [labelNames.deployment]: snapshot.deployment },
      ...(driver !== undefined && { driver }),
    });
  }
  const ground = await findGround(selected, host?.engine, request.to);
  record.kept = [...ground.layout.kept];
  record.leftOutRules = ground.targets.flatMap(({ source, path }) => {
    const declared = host?.deployment.backup?.sources.find(({ name }) => name === source);
    return declared && 'filter' in declared ? [{ path, filter: declared.filter }] : [];
  });
  await stageFiles(repository, snapshot, selected, ground, journal, metadata, context);
  const stays = (service: string) => record.running.includes(service) && !record.stop.includes(service);
  for (const database of record.databases) {
    if (stays(database.service)) await loadDatabase(database, databasePorts!, journal, context);
  }
  for (const command of record.commands) {
    const answers = command.service === undefined || record.running.includes(command.service);
    if (answers) await saveBefore(command, host!, journal, context);
  }
}
