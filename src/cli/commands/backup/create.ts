import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { OpenRepository, RecordedOptions } from '../../../backup/create-recorded.ts';
import {
  isRemote,
  parseRemoteAddress,
  type RemoteAddress,
  renderRemoteAddress,
} from '../../../backup/remote/address.ts';
import type { Delivery } from '../../../backup/remote/owed.ts';
import { type BackupReport, firstProblem } from '../../../backup/report.ts';
import type { Deployment } from '../../../deployment/deployment.ts';
import { nearest } from '../../../deployment/suggest.ts';
import type { Identity } from '../../../repository/age/keys.ts';
import type { SendReport } from '../../../repository/carry/send.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { IncompleteError, UsageError } from '../../../support/errors.ts';
import { readIdentities } from '../../arguments/backup-repository.ts';
import { repeated } from '../../arguments/repeated.ts';
import { tags } from '../../arguments/tags.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderPlan, renderReport } from '../../render/backup.ts';
import { renderSendReport } from './send.ts';

export function addBackupCreate(backup: Command, wrap: Wrap): void {
  backup
    .command('create [dest]', { isDefault: true })
    .description('save every source as one snapshot')
    .option('--full', 'also the sources that the deployment file marks `full`')
    .option(
      '-i, --identity <file>',
      'private key, for when this host no longer knows what is in its encrypted backups and would store all of it anew; - is standard input; may be repeated',
      repeated,
    )
    // Not a list behind one --tag, which would swallow DEST.
    .option(
      '--tag <tag>',
      'a word for this snapshot, which the rules of `keep` may name, or several with commas between; may be repeated',
      tags,
    )
    .addHelpText(
      'after',
      '\nDEST is another directory for the snapshot; or user@host:/path, where it is sent when it is in the usual one. Without' +
        '\nDEST it goes where the deployment file says.',
    )
    .action(wrap((session, input) => create(session, input, commandsOf(backup))));
}

function commandsOf(group: Command): string[] {
  return group.commands.map((command) => command.name());
}

/** @param commands the names that DEST may be a misspelling of */
async function create(
  session: Session,
  { args: [dest], options }: ParsedInput,
  commands: readonly string[],
): Promise<undefined> {
  const { planBackup } = await import('../../../backup/plan.ts');
  const full = options.full === true;
  const deployment = await session.deployment();
  const plan = planBackup(deployment, { full });
  const remote = dest !== undefined && isRemote(dest) ? parseRemoteAddress(dest) : undefined;
  const directory =
    dest === undefined || remote !== undefined
      ? plan.repository
      : destination(dest, session.io.workingDirectory, commands);
  if (session.global.dryRun) {
    session.result({ ...plan, repository: directory, ...(remote && { remote }) }, renderPlan);
    return;
  }
  const sent: SendReport[] = [];
  const delivery = remote && deliveryTo(remote, sent, session);
  await giveWayToServices(session, deployment);
  const identities = await readIdentities(session, options.identity);
  const wanted = { full, tags: options.tag ?? [], delivery };
  const report = await run(session, deployment, { directory, identities }, wanted);
  const [now, ...late] = sent;
  session.report({ ...report, ...(now && { sent: now, sentLate: late }) }, (done) => {
    const lines = renderReport(done, session.io.stdout.isTTY === true);
    return [lines, ...(remote ? renderSent(sent, remote) : [])].join('\n');
  });
  throwIfIncomplete(report);
}

/** With nobody waiting for the backup, what the host is there for goes first. */
async function giveWayToServices({ io }: Session, { services }: Deployment): Promise<void> {
  const isWatched = io.stderr.isTTY === true;
  if (services.length > 0 && !isWatched) await io.giveWay?.();
}

async function run(
  session: Session,
  deployment: Deployment,
  { directory, identities }: { directory: string; identities: readonly Identity[] },
  { full, tags, delivery }: Pick<RecordedOptions, 'full' | 'tags' | 'delivery'>,
): Promise<BackupReport> {
  const { openOrCreateRepository, openRepository } = await import('../../../repository/open.ts');
  const { context } = session;
  const { halfReplaced } = await import('../../../restore/half-replaced.ts');
  const unsettled = (since: Date) => halfReplaced(deployment.name, since, context);
  const options = {
    engine: await session.engine(),
    full,
    ...(tags && { tags }),
    host: hostname(),
    unsettled,
  };
  if (directory === deployment.backup?.repository) {
    const { createRecordedBackup } = await import('../../../backup/create-recorded.ts');
    const open: OpenRepository = ({ create }) =>
      create
        ? openOrCreateRepository(directory, context, { identities })
        : openRepository(directory, context, { identities });
    return createRecordedBackup(deployment, open, { ...options, delivery }, context);
  }
  const { createBackup } = await import('../../../backup/create.ts');
  const repository = await openOrCreateRepository(directory, context, { identities });
  try {
    return await createBackup(deployment, { ...options, repository }, context);
  } finally {
    await repository.close();
  }
}

/**
 * The snapshot is made here first: what can be compared with is here, and a broken line costs nothing.
 * @param sent is told what went over, in order
 */
function deliveryTo(remote: RemoteAddress, sent: SendReport[], { context }: Session): Delivery {
  const { port } = remote;
  const to = `${renderRemoteAddress(remote)}${port === undefined ? '' : ` port ${port}`}`;
  return {
    to,
    async send(snapshot, repository) {
      const { sendToHost } = await import('../../../backup/remote/send-to-host.ts');
      sent.push(await sendToHost(await repository.outgoing(snapshot), remote, context));
    },
  };
}

function renderSent([now, ...late]: readonly SendReport[], remote: RemoteAddress): string[] {
  const later = late.map((report) => renderSendReport(report, remote, { isLate: true }));
  return now === undefined ? [] : [renderSendReport(now, remote), ...later];
}

/** A misspelt command must not become the name of a new directory. */
function destination(named: string, workingDirectory: string, commands: readonly string[]): string {
  if (named.includes('/') || named === '.' || named === '..') return resolve(workingDirectory, named);
  const meant = nearest(named, commands);
  throw new UsageError(`backup ${named}: there is no such command, and a directory has a slash in its name`, {
    advice: meant
      ? `Did you mean dockerctl backup ${meant}? Write ./${named} if you mean a directory`
      : `Write ./${named} if you mean a directory; dockerctl backup --help lists the commands`,
  });
}

function throwIfIncomplete(report: BackupReport): void {
  const problem = firstProblem(report);
  if (problem === undefined) return;
  const id = shortId(report.snapshot.id);
  throw new IncompleteError(`snapshot ${id} is incomplete: ${problem}`, {
    advice: `dockerctl backup show ${id} tells everything that is missing`,
    facts: { snapshot: report.snapshot.id },
  });
}
