import type { Deployment } from '../deployment/deployment.ts';
import type { Repository } from '../repository/repository.ts';
import type { Context } from '../support/context.ts';
import { messageOf, NotFoundError } from '../support/errors.ts';
import { type BackupOptions, createBackup } from './create.ts';
import { type Here, ownSnapshots } from './own-snapshots.ts';
import { beginDelivery, type Delivery } from './remote/owed.ts';
import { type BackupReport, firstProblem } from './report.ts';
import { recordRun } from './status/record-run.ts';
import type { BackupStatus, RunRecord } from './status/status.ts';
import { readStatus, statusFile } from './status/status-file.ts';

/** Opens the deployment's own repository; makes it when it is missing and `create` says so. */
export type OpenRepository = (options: { create: boolean }) => Promise<Repository>;

/** Those of `createBackup`; the repository is opened here. */
export interface RecordedOptions extends Omit<BackupOptions, 'repository'> {
  /** Where the snapshot shall be besides: the run has succeeded only when it is there. */
  delivery?: Delivery | undefined;
}

/**
 * `createBackup` into the deployment's own repository, and whatever becomes of it is written down for those who watch:
 * status, metrics, hooks.
 *
 * @throws whatever `delivery.send` does; the snapshot is in the repository then
 * @throws {NotFoundError} when the repository is gone, for its disk may not be mounted; else as `createBackup` does
 */
export async function createRecordedBackup(
  deployment: Deployment,
  open: OpenRepository,
  { delivery, ...options }: RecordedOptions,
  context: Context,
): Promise<BackupReport> {
  const origin = { deployment: deployment.name, host: options.host };
  let repository: Repository | undefined;
  let report: BackupReport | undefined;
  const record = beginRecord(deployment, options.host, context);
  try {
    repository = await openOwn(deployment, open, context);
    const underWay = delivery && (await beginDelivery(origin, delivery, context));
    report = await createBackup(deployment, { ...options, repository }, context).catch(async (error) => {
      await underWay?.withdraw();
      throw error;
    });
    await underWay?.deliver(report.snapshot, repository);
    const problem = firstProblem(report) ?? null;
    const outcome = report.snapshot.complete ? 'complete' : 'incomplete';
    await record({ outcome, snapshot: report.snapshot.id, problem }, repository);
    return report;
  } catch (error) {
    const snapshot = report?.snapshot.id ?? null;
    await record({ outcome: 'failed', snapshot, problem: messageOf(error) }, repository);
    throw error;
  } finally {
    await repository?.close();
  }
}

type Outcome = Pick<RunRecord, 'outcome' | 'snapshot' | 'problem'>;

/** @returns what writes down how the run that begins now has ended */
function beginRecord(deployment: Deployment, host: string, context: Context) {
  const { name, backup } = deployment;
  const here = { host, stateDir: context.stateDir };
  const started = context.now().toISOString();
  return async (outcome: Outcome, repository: Repository | undefined): Promise<void> => {
    if (backup === undefined) return;
    const run = { started, ended: context.now().toISOString(), ...outcome };
    const snapshots = await snapshotsOf(deployment, repository, {
      ...here,
      made: outcome.snapshot ?? undefined,
    });
    // A hook may want it for itself, to remove what no rule keeps. On a disk that died nothing ends well, but the word goes out.
    await repository?.close().catch(() => {});
    await recordRun(name, backup, run, snapshots, context);
  };
}

async function snapshotsOf(deployment: Deployment, repository: Repository | undefined, here: Here) {
  try {
    return repository && (await ownSnapshots(deployment, repository, here));
  } catch {
    return undefined;
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
