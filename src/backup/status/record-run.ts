import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { BackupSettings } from '../../deployment/backup-settings.ts';
import { runHostCommand } from '../../deployment/commands/run-host-command.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import {
  makeDirectoryDurably,
  replaceDurably,
  sweepTemporaries,
  writeFileDurably,
} from '../../support/durable.ts';
import { codeOf, FailedError, messageOf } from '../../support/errors.ts';
import { describeFailure } from '../../support/run-command.ts';
import { renderMetrics } from './metrics.ts';
import { type BackupStatus, backupStatus, type RunRecord } from './status.ts';

type Settings = Pick<BackupSettings, 'repository' | 'metrics' | 'hooks'>;

/**
 * Writes down how a run into the deployment's own repository ended: `status.json` in the state directory, the metrics
 * file, each in one step; then tells the hooks. `snapshots` is `undefined` when the repository could not be read:
 * what was known of it before is still told. Never throws: whatever goes wrong here is a warning, the run is over.
 */
export async function recordRun(
  deployment: string,
  settings: Settings,
  run: RunRecord,
  snapshots: readonly Snapshot[] | undefined,
  context: Context,
): Promise<BackupStatus> {
  const { repository, metrics, hooks } = settings;
  const known = await readStatus(deployment, repository, context.stateDir);
  const records = { lastRun: run, lastVerified: known?.lastVerified ?? null };
  const status =
    snapshots === undefined && known !== undefined
      ? { ...known, ...records }
      : backupStatus({ deployment, repository }, snapshots ?? [], records);
  await publish(status, metrics, context);
  for (const path of [statusFile(deployment, context.stateDir), ...(metrics === undefined ? [] : [metrics])])
    await sweepTemporaries(path, context.now()).catch(() => {}); // Told of already, where it cannot be written.
  await tellAll(run.outcome === 'complete' ? hooks.onSuccess : hooks.onFailure, status, context);
  return status;
}

/**
 * Writes down that the deployment's own repository was found whole: retention never removes the snapshot that was
 * verified last. Never throws: whatever goes wrong here is a warning, the check is over.
 */
export async function recordVerification(
  deployment: string,
  { repository, metrics }: Pick<Settings, 'repository' | 'metrics'>,
  snapshots: readonly Snapshot[],
  { readData, context }: { readData: boolean; context: Context },
): Promise<void> {
  const newest = snapshots.findLast(({ complete }) => complete);
  if (newest === undefined) return;
  const lastRun = (await readStatus(deployment, repository, context.stateDir))?.lastRun ?? null;
  const lastVerified = { ended: context.now().toISOString(), snapshot: newest.id, readData };
  const status = backupStatus({ deployment, repository }, snapshots, { lastRun, lastVerified });
  await publish(status, metrics, context);
}

/**
 * Writes down which snapshots are left of the deployment's own after some were removed. Never throws: whatever goes wrong here is a
 * warning, they are removed.
 */
export async function recordRemoval(
  deployment: string,
  { repository, metrics }: Pick<Settings, 'repository' | 'metrics'>,
  snapshots: readonly Snapshot[],
  context: Context,
): Promise<void> {
  const known = await readStatus(deployment, repository, context.stateDir);
  const records = { lastRun: known?.lastRun ?? null, lastVerified: known?.lastVerified ?? null };
  await publish(backupStatus({ deployment, repository }, snapshots, records), metrics, context);
}

/** To where it is told of, each in one step. */
async function publish(
  status: BackupStatus,
  metrics: string | undefined,
  { stateDir, progress }: Context,
): Promise<void> {
  const warn = (path: string) => (error: unknown) => {
    const why = codeOf(error) === 'ENOENT' ? 'its directory is missing' : messageOf(error);
    progress.warn(`writing ${path}: ${why}`);
  };
  await writeStatus(status, stateDir).catch(warn('status.json'));
  if (metrics !== undefined) await writeMetrics(status, metrics).catch(warn(metrics));
}

/** What the last run into this repository left; `undefined` when there was none, or it cannot be read. */
export async function readStatus(
  deployment: string,
  repository: string,
  stateDir: string,
): Promise<BackupStatus | undefined> {
  try {
    const text = await readFile(statusFile(deployment, stateDir), 'utf8');
    const status = statusSchema.parse(JSON.parse(text));
    return status.repository === repository ? status : undefined;
  } catch {
    return undefined;
  }
}

/** Where the last run of a deployment is told of, for `backup status` and for monitoring. */
export function statusFile(deployment: string, stateDir: string): string {
  return join(stateDir, 'backup', deployment, 'status.json');
}

async function writeStatus(status: BackupStatus, stateDir: string): Promise<void> {
  await makeDirectoryDurably(join(stateDir, 'backup', status.deployment));
  await writeFileDurably(statusFile(status.deployment, stateDir), `${JSON.stringify(status, null, 2)}\n`);
}

/** Readable by all: the exporter that collects it is nobody's root, and it holds no secret. */
async function writeMetrics(status: BackupStatus, path: string): Promise<void> {
  await replaceDurably(path, 0o644, async (file) => {
    await file.chmod(0o644);
    await file.writeFile(renderMetrics(status));
  });
}

/** Of a run that was interrupted they are told too; whoever interrupts them wants to wait no longer. */
async function tellAll(
  hooks: readonly (readonly string[])[],
  status: BackupStatus,
  { signal, progress }: Context,
): Promise<void> {
  const wasInterrupted = signal.aborted;
  for (const hook of hooks) {
    if (signal.aborted && !wasInterrupted) return;
    await tell(hook, status, wasInterrupted ? undefined : signal).catch((error: unknown) =>
      progress.warn(`running the hook ${hook.join(' ')}: ${messageOf(error)}`),
    );
  }
}

/** Seconds a hook may take. */
const patience = 300;

async function tell(
  hook: readonly string[],
  status: BackupStatus,
  signal: AbortSignal | undefined,
): Promise<void> {
  const result = await runHostCommand(hook, {
    input: `${JSON.stringify(status)}\n`,
    timeout: patience,
    ...(signal && { signal }),
  });
  if (result.status !== 0) throw new FailedError(describeFailure(result));
}

const snapshotRecord = z.object({
  id: z.string(),
  started: z.string(),
  ended: z.string(),
  files: z.number(),
  bytes: z.number(),
  addedBytes: z.number(),
});

const statusSchema = z.object({
  deployment: z.string(),
  repository: z.string(),
  lastRun: z
    .object({
      started: z.string(),
      ended: z.string(),
      outcome: z.enum(['complete', 'incomplete', 'failed']),
      snapshot: z.string().nullable(),
      problem: z.string().nullable(),
    })
    .nullable(),
  lastComplete: snapshotRecord.nullable(),
  snapshots: z.object({ complete: z.number(), incomplete: z.number() }),
  lastVerified: z.object({ ended: z.string(), snapshot: z.string(), readData: z.boolean() }).nullable(),
});
