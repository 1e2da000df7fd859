import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { openHost } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addCopy(program: Command, wrap: Wrap): void {
  program
    .command('copy <source> <destination>')
    .description('copy a file or directory between this host and a container: SERVICE:/path on one side')
    .action(wrap(copyFiles, { dryRun: 'Leave --dry-run away to do it' }));
}

async function copyFiles(session: Session, { args: [source, destination] }: ParsedInput): Promise<undefined> {
  const { copy, parsePlace } = await import('../../../lifecycle/copy/copy.ts');
  const place = (written: string) => {
    const parsed = parsePlace(written);
    if (parsed.service !== undefined) return parsed;
    const path = resolve(session.io.workingDirectory, written);
    return { ...parsed, path: written.endsWith('/') ? `${path}/` : path };
  };
  await copy(place(source), place(destination), await openHost(session));
}
