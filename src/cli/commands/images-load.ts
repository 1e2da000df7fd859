import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { LoadReport } from '../../releases/load.ts';
import { NotFoundError } from '../../support/errors.ts';
import type { Session } from '../context.ts';
import type { ParsedInput } from '../program.ts';
import { renderTable } from '../render/table.ts';
import type { Wrap } from './all.ts';

export function addImagesLoad(images: Command, wrap: Wrap): void {
  images
    .command('load <file...>')
    .description('verify image archives (- is standard input) and load what the engine lacks')
    .option('--select <pattern...>', 'load only images whose name matches, such as shop/*:1.4')
    .action(wrap(load));
}

async function load(session: Session, { args: [files], options }: ParsedInput): Promise<undefined> {
  const [{ loadImages }, { openCatalog }] = await Promise.all([
    import('../../releases/load.ts'),
    import('../../releases/catalog.ts'),
  ]);
  const inputs = (files as string[]).map((file) =>
    file === '-' ? { name: '-', stream: session.io.stdin as unknown as Readable } : file,
  );
  const report = await loadImages(
    inputs,
    {
      engine: await session.engine(),
      catalog: openCatalog(session.context.stateDir),
      release: session.global.release,
      select: options.select,
      signers: await signersOf(session),
      confirm: session.confirm,
    },
    session.context,
  );
  session.result(report, renderReport);
}

/** Who must have signed, when there is a deployment file that says so. One that cannot be read is an error: it may. */
async function signersOf(session: Session): Promise<string | undefined> {
  const { io, global } = session;
  const isNamed = (global.file ?? io.environment.DOCKERCTL_FILE) !== undefined;
  try {
    return (await session.deployment()).images.signers;
  } catch (error) {
    if (!isNamed && error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function renderReport({ archives }: LoadReport): string {
  const rows = archives.flatMap(({ release, images }) =>
    images.map(({ references, config, present }) => [
      release,
      references.join(', ') || config,
      present ? 'was there already' : 'loaded',
    ]),
  );
  return rows.length === 0 ? 'no images' : renderTable(['RELEASE', 'IMAGE', ''], rows);
}
