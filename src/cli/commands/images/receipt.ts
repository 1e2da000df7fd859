import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import type { Wrap } from '../../program.ts';
import { type ParsedInput, VERSION } from '../../program.ts';

export function addImagesReceipt(images: Command, wrap: Wrap): void {
  images
    .command('receipt')
    .description('write down which images this host has, for images save --since')
    .option('-o, --output <file>', 'where to; - or nothing is standard output')
    .action(wrap(receipt));
}

async function receipt(session: Session, { options: { output } }: ParsedInput): Promise<undefined> {
  const [{ encodeReceipt, writeReceipt }, { openCatalog }, { writeFileDurably }] = await Promise.all([
    import('../../../releases/save/receipt.ts'),
    import('../../../releases/catalog/catalog.ts'),
    import('../../../support/durable.ts'),
  ]);
  const host = {
    engine: await session.engine(),
    catalog: openCatalog(session.context.stateDir, session.context.progress.warn),
  };
  const about = { tool: `dockerctl ${VERSION}`, host: hostname(), now: session.context.now() };
  const text = encodeReceipt(await writeReceipt(host, about));
  if (output === undefined || output === '-') session.io.stdout.write(text);
  else await writeFileDurably(resolve(session.io.workingDirectory, output), text);
}
