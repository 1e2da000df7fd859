import type { Command } from 'commander';
import type { Damage, VerifyReport } from '../../repository/repository.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { identityOption, openBackupRepository, repositoryOption } from '../backup-repository.ts';
import type { Session } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ParsedInput } from '../program.ts';
import { count, formatBytes } from '../render/quantities.ts';
import { printable } from '../render/table.ts';
import type { Wrap } from './all.ts';

export function addBackupVerify(backup: Command, wrap: Wrap): void {
  backup
    .command('verify')
    .description('check every file of the repository against its digest')
    .option('--read-data', 'decompress every pack and check every piece of content too')
    .option(...repositoryOption)
    .option(...identityOption)
    .action(wrap(verifyBackups));
}

async function verifyBackups(session: Session, { options }: ParsedInput): Promise<number> {
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    const report = await repository.verify({ readData: options.readData === true }, session.context);
    if (report.damage.length === 0 && options.repository === undefined) {
      await record(session, await repository.snapshots(), options.readData === true);
    }
    session.result(report, renderReport);
    return report.damage.length === 0 ? exitCodes.done : exitCodes.damaged;
  } finally {
    await repository.close();
  }
}

/** Of the deployment's own repository it is remembered; what was named by hand may be any copy. */
async function record({ deployment, context }: Session, snapshots: Snapshot[], readData: boolean) {
  const { recordVerification } = await import('../../backup/record-run.ts');
  const { name, backup } = await deployment();
  const own = snapshots.filter((snapshot) => snapshot.deployment === name);
  if (backup !== undefined) await recordVerification(name, backup, own, { readData, context });
}

function renderReport(report: VerifyReport): string {
  const read = `${count(report.snapshots, 'snapshot')}, ${count(report.blobs, 'blob')}, ${formatBytes(report.bytes)}`;
  if (report.damage.length === 0) return `whole: ${read}`;
  return [
    ...report.damage.flatMap(renderDamage),
    `damaged in ${count(report.damage.length, 'place')}: ${read}`,
  ].join('\n');
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
