import type { Command } from 'commander';
import type { PruneCandidate } from '../../../backup/retention/prune.ts';
import type { RetentionPlan } from '../../../backup/retention/retention.ts';
import type { RemovalReport } from '../../../repository/repository.ts';
import { madeBy } from '../../../repository/snapshot/origin.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../../repository/snapshot/snapshot.ts';
import { FailedError } from '../../../support/errors.ts';
import { identityOption, openBackupRepository, ownOrigin } from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { count, formatBytes, formatTime } from '../../render/quantities.ts';
import { renderTable } from '../../render/table.ts';

export function addBackupPrune(backup: Command, wrap: Wrap): void {
  backup
    .command('prune')
    .description('remove the snapshots that no rule of `keep` keeps, and what only they need')
    .option(...identityOption)
    .addHelpText('after', '\n--dry-run shows of every snapshot whether it stays, and why.')
    .action(wrap(prune));
}

async function prune(session: Session, { options }: ParsedInput): Promise<undefined> {
  const repository = await openBackupRepository(session, undefined, options.identity);
  try {
    const plan = await planFor(session, await repository.snapshots());
    const decisions = plan.decisions.map(({ snapshot, ...decision }) => ({ id: snapshot.id, ...decision }));
    if (session.global.dryRun) {
      session.result({ blocked: plan.blocked ?? null, decisions }, () => renderPlan(plan));
      return;
    }
    if (plan.blocked !== undefined) throw distrusted(plan.blocked, datedAhead(plan, session.context.now()));
    const gone = decisions.filter(({ keep }) => !keep).map(({ id }) => id);
    const report = await repository.remove(gone, session.context);
    await recordLeft(session, await repository.snapshots());
    session.report(report, renderReport);
  } finally {
    await repository.close();
  }
}

/** What monitoring is told of the deployment's own repository is true again after some of it was removed. */
export async function recordLeft(session: Session, snapshots: Snapshot[]): Promise<void> {
  const { recordRemoval } = await import('../../../backup/status/record-run.ts');
  const { name, backup } = await session.deployment();
  const own = madeBy(snapshots, await ownOrigin(session));
  if (backup !== undefined) await recordRemoval(name, backup, own, session.context);
}

async function planFor(session: Session, snapshots: Snapshot[]): Promise<RetentionPlan<PruneCandidate>> {
  const [{ planPrune }, { readStatus }] = await Promise.all([
    import('../../../backup/retention/prune.ts'),
    import('../../../backup/status/status-file.ts'),
  ]);
  const deployment = await session.deployment();
  const { stateDir, now } = session.context;
  const status = await readStatus(deployment.name, deployment.backup?.repository ?? '', stateDir);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return planPrune(deployment, snapshots, status?.lastVerified?.snapshot, { now: now(), timeZone });
}

function datedAhead({ decisions }: RetentionPlan<PruneCandidate>, now: Date): string[] {
  return decisions
    .filter(({ snapshot }) => snapshot.started > now)
    .map(({ snapshot }) => shortId(snapshot.id));
}

/** @param ahead snapshots of days to come, by the clock */
function distrusted(why: string, ahead: readonly string[]): FailedError {
  const remove = ['dockerctl backup remove', ...ahead].join(' ');
  return new FailedError(`pruning: nothing is removed, for ${why}`, {
    advice: `Set the clock right; if it is right, remove what has a wrong date: ${remove}`,
    facts: { ahead },
  });
}

function renderPlan({ blocked, decisions }: RetentionPlan<PruneCandidate>): string {
  const rows = decisions.map(({ snapshot: { id, started }, keep, reasons }) => [
    shortId(id),
    formatTime(started),
    keep ? 'keep' : 'remove',
    reasons.join(', '),
  ]);
  const table = renderTable(['ID', 'STARTED', '', 'WHY'], rows);
  return blocked === undefined ? table : `${table}\nnothing is removed: ${blocked}`;
}

export function renderReport({ snapshots, blobs, bytes, rewritten }: RemovalReport): string {
  const freed = formatBytes(Math.max(0, bytes - rewritten.bytes));
  return `removed ${count(snapshots.length, 'snapshot')}: ${count(blobs, 'file')}, ${freed} freed`;
}
