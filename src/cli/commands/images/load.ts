import type { Command } from 'commander';
import type { LoadReport } from '../../../releases/load/load.ts';
import { archiveInputs, signersOf } from '../../arguments/archive-inputs.ts';
import { repeated } from '../../arguments/repeated.ts';
import { imagesOf } from '../../catalog.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderTable } from '../../render/table.ts';

export function addImagesLoad(images: Command, wrap: Wrap): void {
  images
    .command('load <file...>')
    .description('verify image archives (- is standard input) and load what the engine lacks')
    .option(
      '--select <pattern>',
      'load only images whose name matches, such as shop/*:1.4; may be repeated',
      repeated,
    )
    .action(wrap(load));
}

async function load(session: Session, { args: [files], options }: ParsedInput): Promise<undefined> {
  const { loadImages } = await import('../../../releases/load/load.ts');
  const report = await loadImages(
    archiveInputs(session.io, files),
    {
      ...(await imagesOf(session)),
      release: session.global.release,
      select: options.select,
      signers: await signersOf(session),
      confirm: session.confirm,
      planOnly: session.global.dryRun ?? false,
    },
    session.context,
  );
  session.report(report, (result) => renderReport(result, session.global.dryRun ?? false));
}

function renderReport({ archives }: LoadReport, planned: boolean): string {
  const rows = archives.flatMap(({ release, images }) =>
    images.map(({ references, config, present }) => [
      release,
      references.join(', ') || config,
      present ? 'was there already' : planned ? 'would be loaded' : 'loaded',
    ]),
  );
  return rows.length === 0 ? 'no images' : renderTable(['RELEASE', 'IMAGE', ''], rows);
}
