import type { Command } from 'commander';
import type { PruneCandidate } from '../../../backup/retention/prune.ts';
import type { RetentionPlan } from '../../../backup/retention/retention.ts';
import type { RemovalReport, Repository } from '../../../repository/repository.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { FailedError } from '../../../support/errors.ts';
import { count, formatBytes, formatTime } from '../../../support/quantities.ts';
import { hereOf, identityOption, openBackupRepository } from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderTable } from '../../render/table.ts';

export function addBackupPrune(backup: Command, wrap: Wrap): void {
  backup
    .command('prune')
    .description('remove the snapshots that no rule of `keep` keeps, and what only they need')
    .option(...identityOption)
    .addHelpText(
      'after',
      '\n--dry-run shows of every snapshot whether it stays, and why. Encrypted packs of which less than half is needed are' +
        '\nwritten anew only with --identity; without it they go when nothing of them is needed any more.',
    )
    .action(wrap(prune));
}

async function prune(session: Session, { options }: ParsedInput): Promise<undefined> {
  const repository = await openBackupRepository(session, undefined, options.identity);
  try {
    const plan = await planFor(session, repository);
    const decisions = plan.decisions.map(({ snapshot, ...decision }) => ({ id: snapshot.id, ...decision }));
    if (session.global.dryRun) {
      const { advice } = await wayOut(plan, session.context.now());
      session.result({ blocked: plan.blocked ?? null, decisions }, () => renderPlan(plan, advice));
      return;
    }
    if (plan.blocked !== undefined) {
      const { advice, ahead } = await wayOut(plan, session.context.now());
      throw new FailedError(`pruning: nothing is removed, for ${plan.blocked}`, { advice, facts: { ahead } });
    }
    const gone = decisions.filter(({ keep }) => !keep).map(({ id }) => id);
    session.report(await removeAndRecord(session, repository, gone), renderReport);
  } finally {
    await repository.close();
  }
}

/**
 * Removes from the deployment's own repository; whatever of it was removed, what monitoring is told is true again after
 * it.
 */
export async function removeAndRecord(
  session: Session,
  repository: Repository,
  ids: readonly string[],
): Promise<RemovalReport> {
  const report = await removeWhenFree(session, repository, ids).catch(async (error: unknown) => {
    await recordLeft(session, repository).catch(() => {}); // Why it could not be removed says more.
    throw error;
  });
  await recordLeft(session, repository);
  return report;
}

/** In seconds: for a listing that ends, or a snapshot that is almost taken in. Who is in for longer is named soon. */
const patience = 10;

/** Waits a moment for who is in the repository: what is not removed tonight waits until tomorrow. */
export async function removeWhenFree(
  { context }: Session,
  repository: Repository,
  ids: readonly string[],
): Promise<RemovalReport> {
  const { whenFree } = await import('../../../support/when-free.ts');
  const onWait = ({ message }: Error) => context.progress.note(`waiting ${patience} s at most: ${message}`);
  return whenFree(() => repository.remove(ids, context), context.signal, { patience, onWait });
}

async function recordLeft(session: Session, repository: Repository): Promise<void> {
  const { recordRemoval } = await import('../../../backup/status/record-run.ts');
  const { ownSnapshots } = await import('../../../backup/own-snapshots.ts');
  const deployment = await session.deployment();
  const { name, backup } = deployment;
  const own = await ownSnapshots(deployment, repository, hereOf(session));
  if (backup !== undefined) await recordRemoval(name, backup, own, session.context);
}

async function planFor(session: Session, repository: Repository): Promise<RetentionPlan<PruneCandidate>> {
  const [{ planPrune }, { signedHere }, { readVerified }] = await Promise.all([
    import('../../../backup/retention/prune.ts'),
    import('../../../backup/own-snapshots.ts'),
    import('../../../repository/verify/verified-record.ts'),
  ]);
  const { stateDir, now } = session.context;
  const verified = await readVerified(stateDir, repository.directory);
  const deployment = await session.deployment();
  const snapshots = await repository.snapshots();
  const own = await signedHere(deployment, repository, snapshots);
  return planPrune(deployment, snapshots, { verified, own }, { now: now() });
}

/**
 * What to do where the clock is not trusted, also where it is right after all. When every snapshot is of days to come, it
 * is the clock: nobody shall be led to remove them all.
 */
async function wayOut(
  { decisions }: RetentionPlan<PruneCandidate>,
  now: Date,
): Promise<{ ahead: string[]; advice: string }> {
  const { isAhead } = await import('../../../backup/retention/retention.ts');
  const all = decisions.map(({ snapshot }) => snapshot);
  const ahead = all.filter(({ started }) => isAhead(started, now)).map(({ id }) => shortId(id));
  if (all.every(({ started }) => started > now))
    return { ahead, advice: 'Set the clock right: every snapshot is of days to come' };
  const otherwise =
    ahead.length === 0
      ? 'prune removes again a week after the first backup behind that gap'
      : `remove what has a wrong date: dockerctl backup remove ${ahead.join(' ')}`;
  return { ahead, advice: `Set the clock right; if it is right, ${otherwise}` };
}

function renderPlan({ blocked, decisions }: RetentionPlan<PruneCandidate>, advice: string): string {
  const rows = decisions.map(({ snapshot: { id, started }, keep, reasons }) => [
    shortId(id),
    formatTime(started),
    keep ? 'keep' : 'remove',
    reasons.join(', '),
  ]);
  const table = renderTable(['ID', 'STARTED', '', 'WHY'], rows);
  return blocked === undefined ? table : `${table}\nnothing is removed: ${blocked}\n  ${advice}`;
}

export function renderReport({ snapshots, blobs, bytes, rewritten }: RemovalReport): string {
  const freed = formatBytes(Math.max(0, bytes - rewritten.bytes));
  return `removed ${count(snapshots.length, 'snapshot')}: ${count(blobs, 'file')}, ${freed} freed`;
}
