import type { Command } from 'commander';
import type { InspectedArchive, InspectedImage } from '../../../releases/inspect.ts';
import { count, formatBytes } from '../../../support/quantities.ts';
import { archiveInputs } from '../../arguments/archive-inputs.ts';
import { imagesOf } from '../../catalog.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { printable, renderTable } from '../../render/table.ts';

export function addImagesInspect(images: Command, wrap: Wrap): void {
  images
    .command('inspect <file...>')
    .description('tell what image archives hold, and what of it this host has already')
    .action(wrap(inspect));
}

async function inspect(session: Session, { args: [files] }: ParsedInput): Promise<undefined> {
  const { inspectArchives } = await import('../../../releases/inspect.ts');
  const inputs = archiveInputs(session.io, files);
  const archives = await inspectArchives(inputs, await imagesOf(session), session.context);
  session.result(archives, (all) => all.map(renderArchive).join('\n\n'));
}

function renderArchive(archive: InspectedArchive): string {
  const facts = [
    archive.release === undefined ? undefined : `release ${archive.release}`,
    archive.format,
    archive.size === undefined ? undefined : formatBytes(archive.size),
    archive.signedBy === undefined ? undefined : `signed by ${archive.signedBy}`,
    archive.base === undefined
      ? undefined
      : `a delta to ${archive.base.release === undefined ? 'a receipt' : `release ${archive.base.release}`}`,
  ].filter((fact) => fact !== undefined);
  const rows = archive.images.map((image) => [
    image.references.join(', ') || image.config,
    `${image.platform.os}/${image.platform.architecture}`,
    count(image.layers.length, 'layer'),
    formatBytes(image.bytes),
    presence(image),
  ]);
  const others = [
    ...archive.absent.map(
      ({ references }) => `not in the archive: ${references.join(', ') || 'an unnamed image'}`,
    ),
    ...archive.attachments.map(({ name, mediaType }) => `attached: ${name} (${mediaType})`),
  ];
  return printableLines([
    `${archive.archive}: ${facts.join(', ')}`,
    rows.length === 0 ? 'no images' : renderTable(['IMAGE', 'PLATFORM', 'LAYERS', 'SIZE', 'HERE'], rows),
    ...others,
  ]);
}

function presence({ present, layers }: InspectedImage): string {
  if (present === undefined) return '?';
  if (present) return 'yes';
  const here = layers.filter((layer) => layer.present).length;
  return here === 0 ? 'no' : `${here} of ${count(layers.length, 'layer')}`;
}

function printableLines(lines: readonly string[]): string {
  return lines.flatMap((text) => text.split('\n').map(printable)).join('\n');
}
