import type { Command } from 'commander';
import type { ExportReport, ExportRequest } from '../../../backup/export.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../../repository/snapshot/snapshot.ts';
import { UsageError } from '../../../support/errors.ts';
import { formatBytes } from '../../../support/quantities.ts';
import { compressionLevel, saveFormat, saveTarget } from '../../arguments/archive-output.ts';
import {
  identityOption,
  openBackupRepository,
  repositoryOption,
  snapshotNames,
} from '../../arguments/backup-repository.ts';
import { openRestoreSource } from '../../arguments/restore-source.ts';
import { signersOption, trustedKeys } from '../../arguments/trusted-keys.ts';
import type { Session } from '../../context.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

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
    .option('--skip-damaged', 'with --images: leave out those of which something is damaged')
    .option('--split <size>', 'write volumes smaller than this, such as 4G for a FAT32 disk')
    .option(...repositoryOption)
    .option(...identityOption)
    .option(...signersOption)
    .addHelpText(
      'after',
      '\nAn encrypted snapshot stays encrypted in the archive, which needs no key; only --images needs one, for images come out' +
        `\nas they are. With --images the snapshot may be an exported archive too: its name has a dot or a slash.${snapshotNames}`,
    )
    .action(wrap(exportOne));
}

async function exportOne(session: Session, { args: [name], options }: ParsedInput): Promise<number> {
  const { exportSnapshot } = await import('../../../backup/export.ts');
  const request = await requestOf(session, options);
  if (options.images) return exportImagesOf(session, name, options, request);
  if (options.skipDamaged) throw onlyOfImages();
  const repository = await openBackupRepository(session, options.repository);
  try {
    const snapshot = await repository.find(name);
    if (session.global.dryRun) return tellPlan(session, 'snapshot', snapshot, request);
    tell(session, request, await exportSnapshot(repository, snapshot, request, session.context));
    return exitCodes.done;
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
): Promise<number> {
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
    if (session.global.dryRun) return tellPlan(session, 'the images of snapshot', snapshot, request);
    const skipDamaged = options.skipDamaged === true;
    const report = await exportImages(repository, snapshot, { ...request, skipDamaged }, session.context);
    for (const { image, reason } of report.lost)
      session.context.progress.warn(`image ${image} is left out: ${reason}`);
    tell(session, request, report);
    return report.lost.length > 0 ? exitCodes.damaged : exitCodes.done;
  } finally {
    await repository.close();
  }
}

function onlyOfImages(): UsageError {
  return new UsageError('backup export --skip-damaged: it goes with --images only', {
    advice: 'dockerctl restore --skip-damaged --to DIR writes out what can be read of a snapshot',
  });
}

async function requestOf(session: Session, options: ParsedInput['options']): Promise<ExportRequest> {
  const target = await saveTarget(session, options);
  const level = compressionLevel(options.level);
  return { target, format: await saveFormat(target, options.format), level };
}

function tell(session: Session, { target }: ExportRequest, report: ExportReport): void {
  if (target.kind !== 'stream') session.report(report, renderReport);
}

/** With `--dry-run`. */
function tellPlan(session: Session, what: string, { id }: Snapshot, { target }: ExportRequest): number {
  const to = target.kind === 'stream' ? 'standard output' : target.path;
  session.result({ snapshot: id, to }, () => `would write ${what} ${shortId(id)} to ${to}`);
  return exitCodes.done;
}

function renderReport({ snapshot, files, size }: ExportReport): string {
  const id = shortId(snapshot);
  return `${files.join('\n')}\nsnapshot ${id}: ${formatBytes(size)}`;
}
