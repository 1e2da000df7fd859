import type { Command } from 'commander';
import type { BackupStatus, Freshness } from '../../../backup/status/status.ts';
import { UsageError } from '../../../support/errors.ts';
import { count, formatBytes, formatDuration, formatTime } from '../../../support/quantities.ts';
import { hereOf } from '../../arguments/backup-repository.ts';
import { backupSettings } from '../../arguments/deployment-file.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { printable } from '../../render/table.ts';

export function addBackupStatus(backup: Command, wrap: Wrap): void {
  backup
    .command('status')
    .description('tell how the last run ended and how old the last complete snapshot is')
    .option(
      '--max-age <duration>',
      'end with 1 when the last complete snapshot began longer ago than this, such as 26h',
    )
    .action(wrap(status));
}

async function status(session: Session, { options }: ParsedInput): Promise<number> {
  const { backupStatus, judgeFreshness } = await import('../../../backup/status/status.ts');
  const { readStatus } = await import('../../../backup/status/status-file.ts');
  const maxAge = options.maxAge === undefined ? undefined : await parseAge(options.maxAge);
  const { name: deployment } = await session.deployment();
  const { repository } = await backupSettings(session);
  const snapshots = await snapshotsOf(repository, session);
  const known = await readStatus(deployment, repository, session.context.stateDir);
  const current = backupStatus({ deployment, repository }, snapshots, {
    lastRun: known?.lastRun ?? null,
    lastVerified: known?.lastVerified ?? null,
  });
  const now = session.context.now();
  const freshness = judgeFreshness(current, maxAge ?? Number.POSITIVE_INFINITY, now);
  session.result({ ...current, freshness }, () => render(current, freshness));
  return maxAge !== undefined && !freshness.fresh ? exitCodes.failed : exitCodes.done;
}

/** This host's own: that another one's backups succeed says nothing of it. */
async function snapshotsOf(directory: string, session: Session) {
  const { openRepository } = await import('../../../repository/open.ts');
  const { ownSnapshots } = await import('../../../backup/own-snapshots.ts');
  const repository = await openRepository(directory, session.context);
  try {
    return await ownSnapshots(await session.deployment(), repository, hereOf(session));
  } finally {
    await repository.close();
  }
}

async function parseAge(text: string): Promise<number> {
  const { parseDuration } = await import('../../../deployment/schema/units.ts');
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new UsageError(`--max-age ${text}: it must be a duration such as 26h`);
  return seconds;
}

function render(
  { lastRun, lastComplete, lastVerified, snapshots, repository }: BackupStatus,
  freshness: Freshness,
): string {
  const lines = [`repository:     ${repository}`];
  if (lastComplete !== null && freshness.age !== null) {
    const { started, files, bytes, addedBytes } = lastComplete;
    const size = `${count(files, 'file')}, ${formatBytes(bytes)}, ${formatBytes(addedBytes)} new`;
    const age = `${formatDuration(Math.abs(freshness.age))} ${freshness.age < 0 ? 'ahead of the clock' : 'ago'}`;
    lines.push(`last complete:  ${formatTime(new Date(started))}, ${age} (${size})`);
  }
  if (lastRun !== null) {
    const problem = lastRun.problem === null ? '' : `: ${lastRun.problem}`;
    lines.push(`last run:       ${formatTime(new Date(lastRun.ended))}, ${lastRun.outcome}${problem}`);
  }
  if (lastVerified !== null) {
    const what = lastVerified.readData ? 'every piece of content' : 'every digest';
    lines.push(`last verified:  ${formatTime(new Date(lastVerified.ended))}, ${what}`);
  }
  lines.push(`snapshots:      ${snapshots.complete} complete, ${snapshots.incomplete} incomplete`);
  if (freshness.problem !== null) lines.push(`problem:        ${freshness.problem}`);
  return lines.map(printable).join('\n');
}
