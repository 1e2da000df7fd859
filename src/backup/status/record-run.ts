import type { BackupSettings } from '../../deployment/backup-settings.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { replaceDurably, sweepTemporaries } from '../../support/durable.ts';
import { codeOf, messageOf } from '../../support/errors.ts';
import { tellHooks } from './hooks.ts';
import { renderMetrics } from './metrics.ts';
import { type BackupStatus, backupStatus, type RunRecord } from './status.ts';
import { readStatus, statusFile, writeStatus } from './status-file.ts';

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
  await tellHooks(run.outcome === 'complete' ? hooks.onSuccess : hooks.onFailure, status, context);
  return status;
}

/**
 * Writes down that the deployment's own repository was found whole; retention goes by `recordVerified` instead. Never
 * throws: whatever goes wrong here is a warning, the check is over.
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
 * Writes down which snapshots are left of the deployment's own after some were removed. Never throws: whatever goes
 * wrong here is a warning, they are removed.
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

/** Readable by all: the exporter that collects it is nobody's root, and it holds no secret. */
async function writeMetrics(status: BackupStatus, path: string): Promise<void> {
  await replaceDurably(path, 0o644, async (file) => {
    await file.chmod(0o644);
    await file.writeFile(renderMetrics(status));
  });
}
