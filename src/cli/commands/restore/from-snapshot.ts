import { resolve } from 'node:path';
import type { TrustedKeys } from '../../../repository/signed/provenance.ts';
import type { PreparedRestore, RestoreRequest } from '../../../restore/restore.ts';
import { InterruptedError } from '../../../support/errors.ts';
import { openRestoreSource, type RestoreSource } from '../../arguments/restore-source.ts';
import { trustedKeys } from '../../arguments/trusted-keys.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput } from '../../program.ts';
import { renderPassedOver, renderPlan, renderReport } from '../../render/restore.ts';
import { type Adopted, adoptDeployment } from './adopted-deployment.ts';
import { hostFor } from './host-for.ts';
import { refuseWhileBusy } from './refuse-while-busy.ts';
import { statusOf } from './status-of.ts';

/** Brings back one snapshot, of a repository or an exported archive. Returns the exit status. */
export async function restoreSnapshot(
  session: Session,
  named: readonly string[],
  options: ParsedInput['options'],
): Promise<number> {
  const { refuseUnfinished } = await import('../../../restore/refuse-unfinished.ts');
  await refuseUnfinished(session.context);
  const keys = await trustedKeys(session, options.signers);
  const source = await beforeAnyChange(session, () => openRestoreSource(session, named, options, keys));
  try {
    const { plan, run } = await beforeAnyChange(session, () => prepare(session, source, options, keys));
    if (session.global.dryRun) {
      session.result(plan, renderPlan);
      return statusOf(plan);
    }
    const report = await run();
    session.report(report, renderReport);
    return statusOf(report);
  } finally {
    await source.repository.close();
  }
}

/** What is interrupted while it is planned and asked about says so, however deep it was noticed. */
async function beforeAnyChange<T>({ context: { signal } }: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new InterruptedError('restoring: interrupted; nothing was changed', { cause });
  }
}

/** Plans it, and asks; a dry run ends there. */
async function prepare(
  session: Session,
  source: RestoreSource,
  options: ParsedInput['options'],
  keys: TrustedKeys,
): Promise<PreparedRestore> {
  const { prepareRestore } = await import('../../../restore/restore.ts');
  const { repository, snapshot } = source;
  const to = options.to === undefined ? undefined : resolve(session.io.workingDirectory, options.to);
  const trusting = { keys, allowHooks: options.allowHooks === true };
  const adopted = to === undefined ? await adoptDeployment(session, source, trusting) : undefined;
  const acting = adopted?.session ?? session;
  const request = { snapshot, ...requestOf(options, adopted), to, options: whereabouts(options) };
  const ports = { host: await hostFor(acting, to), repository, keys };
  if (to === undefined && !session.global.dryRun) await refuseWhileBusy(acting);
  const prepared = await prepareRestore(request, ports, session.context);
  if (adopted) tellOfAdopted(prepared, adopted);
  if (!session.global.dryRun) await showAndAsk(prepared, to, session);
  return prepared;
}

/** As they were typed. */
function whereabouts({ repository, to }: ParsedInput['options']): string {
  const typed = [...(repository ? ['--repository', repository] : []), ...(to ? ['--to', to] : [])];
  return typed.map((word) => ` ${word}`).join('');
}

function requestOf(
  { only = [], full, skipDamaged }: ParsedInput['options'],
  adopted: Adopted | undefined,
): Omit<RestoreRequest, 'snapshot' | 'to'> {
  return {
    only,
    full: full === true,
    skipDamaged: skipDamaged === true,
    hostCommands: adopted?.hostCommands ?? true,
    ...(adopted && { adopted: adopted.file }),
  };
}

/** The snapshot's deployment file is not left out, as the plan has it: it is put where it was. */
function tellOfAdopted({ plan }: PreparedRestore, { notes }: Adopted): void {
  plan.warnings.push(...notes);
  plan.skipped = plan.skipped.filter(({ name }) => name !== 'deployment');
}

async function showAndAsk(
  { plan }: PreparedRestore,
  to: string | undefined,
  session: Session,
): Promise<void> {
  show(plan, session);
  await session.confirm(to === undefined ? 'replace this with the backup' : `write it to ${to}`);
}

/** What one must see before it is done: to whom nobody asks, what is unusual; else all of it. */
function show(plan: PreparedRestore['plan'], { context: { progress }, global, io }: Session): void {
  if (global.yes) for (const line of [...renderPassedOver(plan), ...plan.warnings]) progress.warn(line);
  else if (global.json) progress.note(renderPlan(plan));
  else io.stderr.write(`${renderPlan(plan)}\n`);
}
