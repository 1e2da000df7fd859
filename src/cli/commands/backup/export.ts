import type { Command } from 'commander';
import type { ExportReport, ExportRequest } from '../../../backup/export.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import { compressionLevel, saveFormat, saveTarget } from '../../arguments/archive-output.ts';
import { identityOption, openBackupRepository, repositoryOption } from '../../arguments/backup-repository.ts';
import { openRestoreSource } from '../../arguments/restore-source.ts';
import { signersOption, trustedKeys } from '../../arguments/trusted-keys.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { formatBytes } from '../../render/quantities.ts';

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
    .option('--images', "the snapshot's images only, as a bundle that docker load reads")
    .option('--split <size>', 'write volumes smaller than this, such as 4G for a FAT32 disk')
    .option(...repositoryOption)
    .option(...identityOption)
    .option(...signersOption)
    .addHelpText(
      'after',
      '\nWith --images the snapshot may be an exported archive too: its name has a dot or a slash. A key is needed where the' +
        '\nsnapshot is encrypted; without --images it stays encrypted, and none is.',
    )
    .action(wrap(exportOne));
}

async function exportOne(session: Session, { args: [name], options }: ParsedInput): Promise<undefined> {
  const { exportSnapshot } = await import('../../../backup/export.ts');
  const request = await requestOf(session, options);
  if (options.images) return exportImagesOf(session, name, options, request);
  const repository = await openBackupRepository(session, options.repository);
  try {
    const snapshot = await repository.find(name);
    tell(session, request, await exportSnapshot(repository, snapshot, request, session.context));
  } finally {
    await repository.close();
  }
}

/** What comes out is going to be run: it must be by whom snapshots must be. */
async function exportImagesOf(
  session: Session,
  name: string,
  options: ParsedInput['options'],
  request: ExportRequest,
): Promise<undefined> {
  const [{ exportImages }, { requireProvenance }] = await Promise.all([
    import('../../../backup/export.ts'),
    import('../../../repository/signed/provenance.ts'),
  ]);
  const keys = await trustedKeys(session, options.signers);
  const { repository, snapshot: id } = await openRestoreSource(session, [name], options, keys);
  try {
    const snapshot = await repository.find(id);
    await requireProvenance(
      await repository.signedConfig(snapshot),
      keys,
      `snapshot ${shortId(snapshot.id)}`,
    );
    tell(session, request, await exportImages(repository, snapshot, request, session.context));
  } finally {
    await repository.close();
  }
}

async function requestOf(session: Session, options: ParsedInput['options']): Promise<ExportRequest> {
  const target = await saveTarget(session, options);
  const level = compressionLevel(options.level);
  return { target, format: await saveFormat(target, options.format), level };
}

function tell(session: Session, { target }: ExportRequest, report: ExportReport): void {
  if (target.kind !== 'stream') session.report(report, renderReport);
}

function renderReport({ snapshot, files, size }: ExportReport): string {
  const id = shortId(snapshot);
  return `${files.join('\n')}\nsnapshot ${id}: ${formatBytes(size)}`;
}
