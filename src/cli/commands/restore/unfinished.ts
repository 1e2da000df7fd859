import type { RestoreStatus } from '../../../restore/unfinished.ts';
import { reopenRestoreSource } from '../../arguments/restore-source.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput } from '../../program.ts';
import { renderReport, renderStatus } from '../../render/restore.ts';
import { withAdopted } from './adopted-deployment.ts';
import { hostFor } from './host-for.ts';
import { refuseWhileBusy } from './refuse-while-busy.ts';
import { statusOf } from './status-of.ts';

export async function resume(session: Session, options: ParsedInput['options']): Promise<number | undefined> {
  const { resumeRestore, unfinishedRestore } = await import('../../../restore/unfinished.ts');
  const open = (where: string) => reopenRestoreSource(session, where, options);
  const unfinished = await unfinishedRestore(session.context);
  if (unfinished && session.global.dryRun) return tell(session, unfinished, 'finish');
  const acting = unfinished && (await actingFor(session, unfinished));
  if (acting && isToBeginOver(unfinished)) await refuseWhileBusy(acting);
  const host = acting && (await hostFor(acting, unfinished.to));
  const report = await resumeRestore(open, host, session.context);
  session.report(report, renderReport);
  return statusOf(report);
}

export async function takeBack(session: Session): Promise<undefined> {
  const [{ restoreToTakeBack, takeBackRestore }, { restoreInWords }] = await Promise.all([
    import('../../../restore/unfinished.ts'),
    import('../../../restore/journal.ts'),
  ]);
  const taken = await restoreToTakeBack(session.context);
  if (taken && session.global.dryRun) return tell(session, taken, 'take back');
  if (taken) await session.confirm(`take back ${restoreInWords(taken)}`);
  const host = taken && (await hostFor(await actingFor(session, taken), taken.to));
  const back = await takeBackRestore(host, session.context, taken?.id);
  session.report(back, ({ id }) => `took back the restore ${id}`);
}

export async function showStatus(session: Session): Promise<undefined> {
  const { restoreStatus } = await import('../../../restore/unfinished.ts');
  session.result(await restoreStatus(session.context), renderStatus);
}

export async function dropOld(session: Session): Promise<undefined> {
  const { dropKeptData, restoreStatus } = await import('../../../restore/unfinished.ts');
  const kept = (await restoreStatus(session.context)).flatMap((status) => status.kept);
  if (session.global.dryRun) {
    session.result(kept, () => (kept.length === 0 ? 'nothing is kept' : `would remove ${kept.join(', ')}`));
    return;
  }
  if (kept.length > 0) await session.confirm(`remove for good: ${kept.join(', ')}`);
  const host = await hostFor(session, undefined);
  session.report(await dropKeptData(host, session.context), (dropped) =>
    dropped.length === 0
      ? 'nothing is kept'
      : dropped.flatMap(({ kept }) => kept.map((one) => `removed ${one}`)).join('\n'),
  );
}

/** With `--dry-run`. */
async function tell(session: Session, status: RestoreStatus, what: string): Promise<undefined> {
  const { restoreInWords } = await import('../../../restore/journal.ts');
  session.result(status, () => `would ${what} ${restoreInWords(status)}`);
}

/** What is half replaced is finished, whatever goes on meanwhile. */
function isToBeginOver({ phase, to }: RestoreStatus): boolean {
  return phase === 'staging' && to === undefined;
}

/** The same session with the deployment that the restore went by. */
async function actingFor(session: Session, { hostCommands, adopted }: RestoreStatus): Promise<Session> {
  const acting = await withAdopted(session, adopted);
  if (hostCommands) return acting;
  const { withoutHostCommands } = await import('../../../deployment/commands/host-commands.ts');
  return { ...acting, deployment: async () => withoutHostCommands(await acting.deployment()).deployment };
}
