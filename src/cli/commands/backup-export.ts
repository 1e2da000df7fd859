import type { Command } from 'commander';
import type { ExportReport } from '../../backup/export.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import { saveFormat, saveTarget } from '../archive-output.ts';
import { openBackupRepository, repositoryOption } from '../backup-repository.ts';
import type { Session } from '../context.ts';
import type { ParsedInput } from '../program.ts';
import { formatBytes } from '../render/quantities.ts';
import type { Wrap } from './all.ts';

export function addBackupExport(backup: Command, wrap: Wrap): void {
  backup
    .command('export <snapshot>')
    .description('write a snapshot, with all that it needs, as one archive')
    .option(
      '-o, --output <file>',
      'where to: a name that ends in .tar, .tar.gz, .tar.xz or .tar.zst; - or nothing is standard output',
    )
    .option('--format <format>', 'tar, tar.gz, tar.xz or tar.zst, instead of what the name ends in')
    .option('--level <level>', 'how hard to compress, as gzip, xz and zstd count')
    .option('--split <size>', 'write volumes smaller than this, such as 4G for a FAT32 disk')
    .option(...repositoryOption)
    .action(wrap(exportOne));
}

async function exportOne(session: Session, { args: [name], options }: ParsedInput): Promise<undefined> {
  const { exportSnapshot } = await import('../../backup/export.ts');
  const target = await saveTarget(session, options);
  const format = await saveFormat(target, options.format);
  const level = options.level === undefined ? undefined : Number(options.level);
  const repository = await openBackupRepository(session, options.repository);
  try {
    const snapshot = await repository.find(name);
    const report = await exportSnapshot(repository, snapshot, { target, format, level }, session.context);
    if (target.kind !== 'stream') session.result(report, renderReport);
  } finally {
    await repository.close();
  }
}

function renderReport({ snapshot, files, size }: ExportReport): string {
  const id = shortId(snapshot);
  return `${files.join('\n')}\nsnapshot ${id}: ${formatBytes(size)}`;
}
