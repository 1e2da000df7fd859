import type { Command } from 'commander';
import type { RepairReport } from '../../../repository/repository.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { count } from '../../../support/quantities.ts';
import { identityOption, openBackupRepository, repositoryOption } from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addBackupRepair(backup: Command, wrap: Wrap): void {
  backup
    .command('repair')
    .description(
      'mend what is damaged: lost indexes, manifests and configs, and content that later backups stored again',
    )
    .option('--give-up', 'forget the snapshots that cannot be read even so; until then nothing is removed')
    .option(...repositoryOption)
    .option(...identityOption)
    .addHelpText(
      'after',
      '\nDamaged files are set aside, not deleted. A backup made first stores lost content again. A snapshot whose config is lost gets' +
        '\nanother id; no rule of `keep` removes it, for nobody knows whether it was complete.',
    )
    .action(wrap(repair, { dryRun: 'dockerctl backup verify tells what is damaged' }));
}

async function repair(session: Session, { options }: ParsedInput): Promise<number> {
  const giveUp = options.giveUp === true;
  if (giveUp)
    await session.confirm(
      'Give up every snapshot that cannot be read: the next removal deletes what is left of it',
    );
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    const report = await repository.repair(session.context, { giveUp });
    session.report(report, renderReport);
    return report.spoiled.length === 0 ? exitCodes.done : exitCodes.damaged;
  } finally {
    await repository.close();
  }
}

function renderReport({ snapshots, setAside, mended, rebuilt, givenUp, spoiled }: RepairReport): string {
  const lines = [`${count(snapshots, 'snapshot')}, index.json written anew`];
  if (setAside.length > 0)
    lines.push(`set aside ${count(setAside.length, 'damaged file')}: ${setAside.join(', ')}`);
  if (mended.length > 0) lines.push(`mended: ${mended.map(shortId).join(', ')}`);
  if (rebuilt.length > 0)
    lines.push(`told anew, not signed, not known to be complete: ${rebuilt.map(shortId).join(', ')}`);
  if (givenUp.length > 0) lines.push(`given up: ${givenUp.map(shortId).join(', ')}`);
  if (spoiled.length > 0) lines.push(`still damaged: ${spoiled.map(shortId).join(', ')}`);
  return lines.join('\n');
}
