import type { Command } from 'commander';
import type { Damage, Repository, VerifyReport } from '../../../repository/repository.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../../repository/snapshot/snapshot.ts';
import { UsageError } from '../../../support/errors.ts';
import { count, formatBytes } from '../../../support/quantities.ts';
import {
  hereOf,
  identityOption,
  openBackupRepository,
  repositoryOption,
} from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { printable } from '../../render/table.ts';

export function addBackupVerify(backup: Command, wrap: Wrap): void {
  backup
    .command('verify')
    .description('check every file of the repository against its digest')
    .option(
      '--read-data [part]',
      'decompress every pack and check every piece of content too; or only those of a part, such as 10%, drawn anew each time',
    )
    .option(...repositoryOption)
    .option(...identityOption)
    .addHelpText(
      'after',
      '\nIt changes no backup, names what is damaged and what that spoils, and then ends with 14. Of encrypted backups digests are' +
        '\nchecked without a key; content, and the names of what is spoilt, need one. With --dry-run it checks all the same, and' +
        '\nthis host does not remember what was found.',
    )
    .action(wrap(verifyBackups));
}

async function verifyBackups(session: Session, { options }: ParsedInput): Promise<number> {
  const wanted = { ...whatToRead(options.readData), remember: !session.global.dryRun };
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    const snapshots = await repository.snapshots(); // What comes while they are checked is not.
    const report = await repository.verify(wanted, session.context);
    if (report.damage.length === 0 && wanted.remember) {
      await remember(session, repository, snapshots);
      const readData = wanted.part === 1 && readsAll(report);
      if (options.repository === undefined) await record(session, repository, snapshots, readData);
    }
    session.result(report, renderReport);
    return report.damage.length === 0 ? exitCodes.done : exitCodes.damaged;
  } finally {
    await repository.close();
  }
}

/** Whether there was nothing that no key at hand opens. */
function readsAll({ packs }: VerifyReport): boolean {
  return packs?.read === packs?.all;
}

/** All of the content, a part of it, or none. */
function whatToRead(said: string | true | undefined): { readData: boolean; part: number } {
  if (said === undefined) return { readData: false, part: 0 };
  if (said === true) return { readData: true, part: 1 };
  const percent = /^\d+(\.\d+)?%$/.test(said) ? Number.parseFloat(said) : 0;
  if (percent > 0 && percent <= 100) return { readData: true, part: percent / 100 };
  throw new UsageError(`--read-data ${said}: it must be more than 0% and at most 100%`, {
    advice: 'Give one such as 10%, or none to read all of it',
  });
}

/**
 * For retention, by whatever name the repository goes. Who may not write here, as on a rescue system, prunes nothing.
 */
async function remember({ context }: Session, repository: Repository, snapshots: Snapshot[]): Promise<void> {
  const { recordVerified } = await import('../../../repository/verify/verified-record.ts');
  await recordVerified(context.stateDir, repository.directory, snapshots).catch(() => {});
}

/** Of the deployment's own repository it is remembered; what was named by hand may be any copy. */
async function record(session: Session, repository: Repository, checked: Snapshot[], readData: boolean) {
  const { ownSnapshots } = await import('../../../backup/own-snapshots.ts');
  const { recordVerification } = await import('../../../backup/status/record-run.ts');
  const deployment = await session.deployment();
  const { name, backup } = deployment;
  const ids = new Set(checked.map(({ id }) => id));
  const all = await ownSnapshots(deployment, repository, hereOf(session));
  const own = all.filter(({ id }) => ids.has(id));
  const { context } = session;
  if (backup !== undefined) await recordVerification(name, backup, own, { readData, context });
}

function renderReport(report: VerifyReport): string {
  const { snapshots, blobs, bytes, packs } = report;
  const content = packs === undefined ? '' : `; content of ${renderPart(packs)}`;
  const read = `${count(snapshots, 'snapshot')}, ${count(blobs, 'blob')}, ${formatBytes(bytes)}${content}`;
  if (report.damage.length === 0) return `whole: ${read}`;
  return [
    ...report.damage.flatMap(renderDamage),
    `damaged in ${count(report.damage.length, 'place')}: ${read}`,
    'dockerctl backup, and then dockerctl backup repair, mend what can be mended',
  ].join('\n');
}

function renderPart({ read, all }: NonNullable<VerifyReport['packs']>): string {
  return read === all ? 'every pack' : `${read} of ${count(all, 'pack')}`;
}

function renderDamage({ message, snapshots, files }: Damage): string[] {
  const lines = [printable(message)];
  const short = snapshots.map(shortId);
  if (short.length > 0) lines.push(`  spoils ${count(short.length, 'snapshot')}: ${short.join(', ')}`);
  const shown = files.slice(0, mostFiles).map(printable);
  for (const file of shown) lines.push(`  spoils ${file}`);
  if (files.length > mostFiles) lines.push(`  and ${files.length - mostFiles} files or more`);
  return lines;
}

/** On a terminal; `--json` has more. */
const mostFiles = 20;
