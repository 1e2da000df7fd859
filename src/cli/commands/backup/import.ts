import type { Command } from 'commander';
import type { ImportReport } from '../../../repository/carry/import-archive.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { count, formatBytes } from '../../../support/quantities.ts';
import { archiveInputs, refuseRepositories } from '../../arguments/archive-inputs.ts';
import { openOrCreateBackupRepository, repositoryOption } from '../../arguments/backup-repository.ts';
import { signersOption, trustedKeys } from '../../arguments/trusted-keys.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderProvenance } from '../../render/provenance.ts';

export function addBackupImport(backup: Command, wrap: Wrap): void {
  backup
    .command('import <file...>')
    .description('take in the snapshots of exported archives (- is standard input), each verified first')
    .option(...repositoryOption)
    .option(...signersOption)
    .option('--skip-damaged', 'of an archive that is cut or damaged, take what is whole')
    .addHelpText(
      'after',
      '\nWhat a damaged archive lacks is missing in the repository: `restore --skip-damaged` brings back the rest, and importing' +
        '\na whole copy adds it.',
    )
    .action(wrap(importFiles, { dryRun: 'dockerctl restore FILE --dry-run tells what is in an archive' }));
}

async function importFiles(session: Session, { args: [files], options }: ParsedInput): Promise<number> {
  const [{ importArchive }, { canBeReadAgain, groupInputs }, { openArchive }] = await Promise.all([
    import('../../../repository/carry/import-archive.ts'),
    import('../../../archive/input.ts'),
    import('../../../archive/archive.ts'),
  ]);
  const keys = await trustedKeys(session, options.signers);
  await refuseRepositories(session.io, files, exportIt);
  const inputs = await groupInputs(archiveInputs(session.io, files));
  // What is no archive, or lacks a volume, is refused before a repository is made for it.
  for (const input of inputs) if (await canBeReadAgain(input)) await (await openArchive(input)).close();
  const repository = await openOrCreateBackupRepository(session, options.repository);
  const reports: ImportReport[] = [];
  const skipDamaged = options.skipDamaged === true;
  try {
    for (const input of inputs)
      reports.push(await importArchive(repository, input, { keys, skipDamaged }, session.context));
  } finally {
    await repository.close();
  }
  session.report(reports, (all) => all.map(renderReport).join('\n'));
  return reports.some(({ missing }) => missing.blobs > 0) ? exitCodes.damaged : exitCodes.done;
}

function exportIt(directory: string): string {
  return `Take one of its snapshots: dockerctl backup export latest -r ${directory} | dockerctl backup import -`;
}

function renderReport(report: ImportReport): string {
  const { blobs, bytes } = report.missing;
  const lost = blobs === 0 ? '' : `\n  ${count(blobs, 'file')} of it, ${formatBytes(bytes)}, cannot be read`;
  return `${renderTaken(report)}${lost}`;
}

function renderTaken({ snapshot: { id }, provenance, existed, added }: ImportReport): string {
  const short = shortId(id);
  const files = `${count(added.blobs, 'file')}, ${formatBytes(added.bytes)}`;
  if (!existed) return `snapshot ${short}: added ${files} (${renderProvenance(provenance)})`;
  return `snapshot ${short} was there already${added.blobs === 0 ? '' : `; what it had lost is back: ${files}`}`;
}
