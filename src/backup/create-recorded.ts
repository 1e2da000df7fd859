import type { Deployment } from '../deployment/deployment.ts';
import type { Repository } from '../repository/repository.ts';
import { madeBy, type Origin } from '../repository/snapshot/origin.ts';
import type { Snapshot } from '../repository/snapshot/snapshot.ts';
import type { Context } from '../support/context.ts';
import { messageOf, NotFoundError } from '../support/errors.ts';
import { type BackupOptions, createBackup } from './create.ts';
import { type BackupReport, firstProblem } from './report.ts';
import { recordRun } from './status/record-run.ts';
import type { BackupStatus, RunRecord } from './status/status.ts';
import { readStatus, statusFile } from './status/status-file.ts';

/** Opens the deployment's own repository; makes it when it is missing and `create` says so. */
export type OpenRepository = (options: { create: boolean }) => Promise<Repository>;

export interface RecordedOptions extends Omit<BackupOptions, 'repository'> {
  /** Takes the snapshot where it shall be besides: the run has succeeded only when it is there. */
  deliver?: (snapshot: Snapshot, repository: Repository) => Promise<void>;
}

/**
 * `createBackup` into the deployment's own repository, and whatever becomes of it is written down for those who watch:
 * status, metrics, hooks.
 *
 * @throws whatever `deliver` does; the snapshot is in the repository then
 * @throws {NotFoundError} when the repository is gone, for its disk may not be mounted; else as `createBackup` does
 */
export async function createRecordedBackup(
  deployment: Deployment,
  open: OpenRepository,
  { deliver, ...options }: RecordedOptions,
  context: Context,
): Promise<BackupReport> {
  const started = context.now().toISOString();
  let repository: Repository | undefined;
  let report: BackupReport | undefined;
  const record = async (end: Pick<RunRecord, 'outcome' | 'snapshot' | 'problem'>) => {
    const settings = deployment.backup;
    if (settings === undefined) return;
    const run = { started, ended: context.now().toISOString(), ...end };
    const snapshots = await snapshotsOf({ deployment: deployment.name, host: options.host }, repository);
    await repository?.close(); // A hook may want it for itself, to remove what no rule keeps.
    await recordRun(deployment.name, settings, run, snapshots, context);
  };
  try {
    repository = await openOwn(deployment, open, context);
    report = await createBackup(deployment, { ...options, repository }, context);
    await deliver?.(report.snapshot, repository);
    const problem = firstProblem(report) ?? null;
    const outcome = report.snapshot.complete ? 'complete' : 'incomplete';
    await record({ outcome, snapshot: report.snapshot.id, problem });
    return report;
  } catch (error) {
    await record({ outcome: 'failed', snapshot: report?.snapshot.id ?? null, problem: messageOf(error) });
    throw error;
  } finally {
    await repository?.close();
  }
}

/** A repository that is known to this host is never made anew: an empty directory may be where its disk belongs. */
async function openOwn(
  { name, backup }: Deployment,
  open: OpenRepository,
  { stateDir }: Context,
): Promise<Repository> {
  const known = backup && (await readStatus(name, backup.repository, stateDir));
  const held = known === undefined ? 0 : count(known);
  if (held === 0) return open({ create: true });
  return open({ create: false }).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
    throw new NotFoundError(
      `opening the backup repository ${known?.repository}: its snapshots (${held}) are gone`,
      {
        advice: `Mount its disk; to begin a new one there, remove ${statusFile(name, stateDir)}`,
        facts: { repository: known?.repository, snapshots: held },
        cause: error,
      },
    );
  });
}

function count({ snapshots }: BackupStatus): number {
  return snapshots.complete + snapshots.incomplete;
}

async function snapshotsOf(origin: Origin, repository: Repository | undefined) {
  try {
    return repository && madeBy(await repository.snapshots(), origin);
  } catch {
    return undefined;
  }
}
