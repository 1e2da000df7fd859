import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { RestoreReport } from '../../restore/conclude.ts';
import type { RestoreHost } from '../../restore/host.ts';
import type { RestoreStatus } from '../../restore/unfinished.ts';
import { UsageError } from '../../support/errors.ts';
import { adoptDeployment, withAdopted } from '../adopted-deployment.ts';
import { identityOption, repositoryOption } from '../backup-repository.ts';
import type { Session } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { openHost } from '../lifecycle.ts';
import type { ParsedInput, Wrap } from '../program.ts';
import { renderPlan, renderReport, renderStatus } from '../render/restore.ts';
import { openRestoreSource, reopenRestoreSource } from '../restore-source.ts';
import { signersOption, trustedKeys } from '../trusted-keys.ts';

export function addRestore(program: Command, wrap: Wrap): void {
  program
    .command('restore [snapshot...]')
    .description('bring back what a backup holds: files, volumes, databases, and the services that use them')
    .usage('[options] [SNAPSHOT|FILE...]')
    .option('--only <source...>', 'these sources only')
    .option('--full', 'also the sources that are backed up with --full only')
    .option('--to <dir>', 'write the files under this directory, and leave this host alone')
    .addHelpText(
      'after',
      '\nA name with a dot or a slash is an archive that `backup export` wrote, of which the volumes may be several; - is' +
        '\nstandard input. A plain .tar is read where it lies; a compressed one is unpacked into the state directory meanwhile.',
    )
    .option('--skip-damaged', 'read everything first, name what is lost, and restore the rest; ends with 14')
    .option('--allow-hooks', "run on this host what a foreign snapshot's deployment file says")
    .option('--resume', 'finish a restore that was killed')
    .option('--rollback', 'take back the restore that was killed, or else the last one')
    .option('--status', 'tell which restores are unfinished, and where replaced data is kept')
    .option('--drop-old', 'remove the data that finished restores replaced')
    .option(...repositoryOption)
    .option(...identityOption)
    .option(...signersOption)
    .action(wrap(restore));
}

async function restore(
  session: Session,
  { args: [named], options }: ParsedInput,
): Promise<number | undefined> {
  const asked = ['resume', 'rollback', 'status', 'dropOld'].filter((name) => options[name]);
  if (asked.length + (named.length === 0 ? 0 : 1) !== 1) {
    throw new UsageError(
      'restore needs a snapshot or an exported archive, or one of --resume, --rollback, --status and --drop-old',
      {
        advice: options.only
          ? 'Name the snapshot before --only: every word behind that is the name of a source'
          : 'dockerctl backup list shows the snapshots; `latest` is the newest complete one',
      },
    );
  }
  if (options.status) return showStatus(session);
  if (options.rollback) return takeBack(session);
  if (options.dropOld) return dropOld(session);
  if (options.resume) return resume(session, options);
  return restoreSnapshot(session, named, options);
}

async function restoreSnapshot(
  session: Session,
  named: readonly string[],
  options: ParsedInput['options'],
): Promise<number> {
  const [{ prepareRestore }, { refuseUnfinished }] = await Promise.all([
    import('../../restore/restore.ts'),
    import('../../restore/journal.ts'),
  ]);
  await refuseUnfinished(session.context.stateDir);
  const to = options.to === undefined ? undefined : resolve(session.io.workingDirectory, options.to);
  const keys = await trustedKeys(session, options.signers);
  const { repository, snapshot } = await openRestoreSource(session, named, options, keys);
  try {
    const trusting = { keys, allowHooks: options.allowHooks === true };
    const source = { repository, snapshot };
    const adopted = to === undefined ? await adoptDeployment(session, source, trusting) : undefined;
    const acting = adopted?.session ?? session;
    const { hostCommands = true, notes = [] } = adopted ?? {};
    const selection = { only: options.only ?? [], full: options.full === true, to };
    const request = {
      ...{ snapshot, ...selection, hostCommands, skipDamaged: options.skipDamaged === true },
      ...(adopted && { adopted: adopted.file }),
    };
    const ports = { host: await hostFor(acting, to), repository, keys };
    if (to === undefined && !session.global.dryRun) await refuseWhileBusy(acting);
    const { plan, run } = await prepareRestore(request, ports, session.context);
    plan.warnings.push(...notes);
    if (adopted) plan.skipped = plan.skipped.filter(({ name }) => name !== 'deployment');
    if (session.global.dryRun) {
      session.result(plan, renderPlan);
      return statusOf(plan);
    }
    if (!session.global.yes) session.io.stderr.write(`${renderPlan(plan)}\n`);
    await session.confirm(to === undefined ? 'replace this with the backup' : `write it to ${to}`);
    const report = await run();
    session.result(report, renderReport);
    return statusOf(report);
  } finally {
    await repository.close();
  }
}

/** What is lost stays lost, however well the rest went. */
function statusOf({ losses }: Pick<RestoreReport, 'losses'>): number {
  return losses.length === 0 ? exitCodes.done : exitCodes.damaged;
}

async function resume(session: Session, options: ParsedInput['options']): Promise<number> {
  const { restoreStatus, resumeRestore } = await import('../../restore/unfinished.ts');
  const open = (where: string) => reopenRestoreSource(session, where, options);
  const unfinished = (await restoreStatus(session.context.stateDir)).find(({ phase }) => phase !== 'done');
  const host = unfinished && (await hostOf(session, unfinished));
  const report = await resumeRestore(open, host, session.context);
  session.result(report, renderReport);
  return statusOf(report);
}

async function takeBack(session: Session): Promise<undefined> {
  const { restoreStatus, takeBackRestore } = await import('../../restore/unfinished.ts');
  const all = await restoreStatus(session.context.stateDir);
  const taken = all.find(({ phase }) => phase !== 'done') ?? all.at(-1);
  if (taken) await session.confirm(`take back the restore ${taken.id} begun ${taken.started}`);
  const host = taken && (await hostOf(session, taken));
  session.result(await takeBackRestore(host, session.context), ({ id }) => `took back the restore ${id}`);
}

async function showStatus(session: Session): Promise<undefined> {
  const { restoreStatus } = await import('../../restore/unfinished.ts');
  session.result(await restoreStatus(session.context.stateDir), renderStatus);
}

async function dropOld(session: Session): Promise<undefined> {
  const { dropKeptData, restoreStatus } = await import('../../restore/unfinished.ts');
  const kept = (await restoreStatus(session.context.stateDir)).flatMap((status) => status.kept);
  if (kept.length > 0) await session.confirm(`remove for good: ${kept.join(', ')}`);
  const host = await hostFor(session, undefined);
  session.result(await dropKeptData(host, session.context), (dropped) =>
    dropped.length === 0 ? 'nothing is kept' : dropped.flatMap((status) => status.kept).join('\n'),
  );
}

/** On a machine that is down nobody can answer: only what runs is asked. */
async function refuseWhileBusy(session: Session): Promise<void> {
  const { askWhetherBusy, refuseUnlessIdle } = await import('../../backup/before/refuse-while.ts');
  const [deployment, engine] = [await session.deployment(), await session.engine()];
  const checks = deployment.backup?.refuseWhile ?? [];
  const answers = await askWhetherBusy(checks, { deployment, engine }, session.context.signal);
  const given = answers.filter(({ kind, check }) => {
    return kind !== 'not running' && (kind !== 'no answer' || check.service !== undefined);
  });
  refuseUnlessIdle(given, 'restoring');
}

async function hostOf(
  session: Session,
  { to, hostCommands, adopted }: RestoreStatus,
): Promise<RestoreHost | undefined> {
  return hostFor(await withAdopted(session, adopted), to, hostCommands);
}

/** The host is the deployment's: writing to a directory needs neither file nor engine. */
async function hostFor(
  session: Session,
  to: string | undefined,
  hostCommands = true,
): Promise<RestoreHost | undefined> {
  if (to !== undefined) return undefined;
  const [{ deploymentServices }, { withoutHostCommands }] = await Promise.all([
    import('../../restore/services/deployment-services.ts'),
    import('../../deployment/host-commands.ts'),
  ]);
  const named = await session.deployment();
  const deployment = hostCommands ? named : withoutHostCommands(named).deployment;
  const host = await openHost({ ...session, deployment: async () => deployment });
  return { engine: host.engine, services: deploymentServices(host), deployment: host.deployment };
}
