import type { Command } from 'commander';
import { identityOption, openBackupRepository, repositoryOption } from '../backup-repository.ts';
import type { Session } from '../context.ts';
import type { ParsedInput } from '../program.ts';
import { printList } from '../render/list.ts';
import { printable } from '../render/table.ts';
import type { Wrap } from './all.ts';

export function addBackupDiff(backup: Command, wrap: Wrap): void {
  backup
    .command('diff <before> <after>')
    .description('list what differs between two snapshots')
    .addHelpText(
      'after',
      '\n+ added, - removed, T of another type, M with other content, m with other owner, mode, time or attributes.',
    )
    .option(...repositoryOption)
    .option(...identityOption)
    .action(wrap(compare));
}

async function compare(
  session: Session,
  { args: [before, after], options }: ParsedInput,
): Promise<undefined> {
  const [{ compareSnapshots }, { fileNameOf }] = await Promise.all([
    import('../../backup/browse/compare-snapshots.ts'),
    import('../../backup/browse/file-name.ts'),
  ]);
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    const [old, now] = await Promise.all([repository.find(before), repository.find(after)]);
    await printList(session, compareSnapshots(repository, old, now), {
      line: ({ source, change, path }) => `${signs[change]} ${printable(fileNameOf(source, { path }))}`,
      json: ({ source, change, path }) => ({
        source: source.name,
        file: fileNameOf(source, { path }),
        change,
      }),
    });
  } finally {
    await repository.close();
  }
}

const signs = { added: '+', removed: '-', type: 'T', content: 'M', metadata: 'm' } as const;
