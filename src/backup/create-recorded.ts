import type { Deployment } from '../deployment/deployment.ts';
import type { Context } from '../support/context.ts';
import { messageOf } from '../support/errors.ts';
import { type BackupOptions, createBackup } from './create.ts';
import { recordRun } from './record-run.ts';
import { type BackupReport, firstProblem } from './report.ts';
import type { RunRecord } from './status.ts';

/**
 * `createBackup` into the deployment's own repository, and whatever becomes of it is written down for those who watch: status,
 * metrics, hooks.
 */
export async function createRecordedBackup(
  deployment: Deployment,
  options: BackupOptions,
  context: Context,
): Promise<BackupReport> {
  const started = context.now().toISOString();
  const record = async (end: Pick<RunRecord, 'outcome' | 'snapshot' | 'problem'>) => {
    const settings = deployment.backup;
    if (settings === undefined) return;
    const run = { started, ended: context.now().toISOString(), ...end };
    await recordRun(deployment.name, settings, run, await snapshotsOf(deployment, options), context);
  };
  try {
    const report = await createBackup(deployment, options, context);
    const problem = firstProblem(report) ?? null;
    const outcome = report.snapshot.complete ? 'complete' : 'incomplete';
    await record({ outcome, snapshot: report.snapshot.id, problem });
    return report;
  } catch (error) {
    await record({ outcome: 'failed', snapshot: null, problem: messageOf(error) });
    throw error;
  }
}

async function snapshotsOf({ name }: Deployment, { repository }: BackupOptions) {
  try {
    return (await repository.snapshots()).filter(({ deployment }) => deployment === name);
  } catch {
    return undefined;
  }
}
