import type { Command } from 'commander';
import type { ImportReport } from '../../../repository/carry/import-archive.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { archiveInputs } from '../../archive-inputs.ts';
import { openOrCreateBackupRepository, repositoryOption } from '../../backup-repository.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderProvenance } from '../../render/provenance.ts';
import { count, formatBytes } from '../../render/quantities.ts';
import { signersOption, trustedKeys } from '../../trusted-keys.ts';

export function addBackupImport(backup: Command, wrap: Wrap): void {
  backup
    .command('import <file...>')
    .description('take in the snapshots of exported archives (- is standard input), each verified first')
    .option(...repositoryOption)
    .option(...signersOption)
    .action(wrap(importFiles));
}

async function importFiles(session: Session, { args: [files], options }: ParsedInput): Promise<undefined> {
  const [{ importArchive }, { groupInputs }] = await Promise.all([
    import('../../../repository/carry/import-archive.ts'),
    import('../../../archive/input.ts'),
  ]);
  const keys = await trustedKeys(session, options.signers);
  const inputs = await groupInputs(archiveInputs(session.io, files));
  const repository = await openOrCreateBackupRepository(session, options.repository);
  const reports: ImportReport[] = [];
  try {
    for (const input of inputs) reports.push(await importArchive(repository, input, keys, session.context));
  } finally {
    await repository.close();
  }
  session.result(reports, (all) => all.map(renderReport).join('\n'));
}

function renderReport({ snapshot: { id }, provenance, existed, added }: ImportReport): string {
  const short = shortId(id);
  const files = `${count(added.blobs, 'file')}, ${formatBytes(added.bytes)}`;
  if (!existed) return `snapshot ${short}: added ${files} (${renderProvenance(provenance)})`;
  return `snapshot ${short} was there already${added.blobs === 0 ? '' : `; what it had lost is back: ${files}`}`;
}
