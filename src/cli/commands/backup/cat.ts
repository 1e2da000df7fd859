import type { Command } from 'commander';
import {
  identityOption,
  openBackupRepository,
  repositoryOption,
  snapshotNames,
} from '../../arguments/backup-repository.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { write } from '../../render/list.ts';

export function addBackupCat(backup: Command, wrap: Wrap): void {
  backup
    .command('cat <snapshot> <file>')
    .description('print a file of a snapshot: /PATH or SOURCE:PATH')
    .option(...repositoryOption)
    .option(...identityOption)
    .addHelpText('after', snapshotNames)
    .action(wrap(printFile));
}

async function printFile(session: Session, { args: [name, file], options }: ParsedInput): Promise<undefined> {
  const { readFile } = await import('../../../backup/browse/read-file.ts');
  const repository = await openBackupRepository(session, options.repository, options.identity);
  try {
    for await (const piece of readFile(repository, await repository.find(name), file))
      await write(session, piece);
  } finally {
    await repository.close();
  }
}
