import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { imagesOf } from '../../catalog.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { printable } from '../../render/table.ts';
import { version } from '../../version.ts';

export function addImagesReceipt(images: Command, wrap: Wrap): void {
  images
    .command('receipt')
    .description('write down which images this host has, for images save --since')
    .option('-o, --output <file>', 'where to; - or nothing is standard output')
    .action(wrap(receipt));
}

async function receipt(session: Session, { options: { output } }: ParsedInput): Promise<undefined> {
  const file = output === undefined || output === '-' ? undefined : await fileFor(session, output);
  if (session.global.dryRun && file !== undefined) {
    session.result({ to: file }, () => `would write which images this host has to ${printable(file)}`);
    return;
  }
  const [{ encodeReceipt, writeReceipt }, { writeFileDurably }] = await Promise.all([
    import('../../../releases/save/receipt.ts'),
    import('../../../support/durable.ts'),
  ]);
  const about = { tool: `dockerctl ${version}`, host: hostname(), now: session.context.now() };
  const text = encodeReceipt(await writeReceipt(await imagesOf(session), about));
  if (file === undefined) session.io.stdout.write(text);
  else await writeFileDurably(file, text);
}

async function fileFor({ io }: Session, output: string): Promise<string> {
  const { writablePath } = await import('../../../releases/save/target.ts');
  return writablePath(resolve(io.workingDirectory, output));
}
