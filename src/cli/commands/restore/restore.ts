import type { Command } from 'commander';
import { UsageError } from '../../../support/errors.ts';
import { identityOption, repositoryOption, snapshotNames } from '../../arguments/backup-repository.ts';
import { signersOption } from '../../arguments/trusted-keys.ts';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { restoreSnapshot } from './from-snapshot.ts';
import { dropOld, resume, showStatus, takeBack } from './unfinished.ts';

export function addRestore(program: Command, wrap: Wrap): void {
  program
    .command('restore [snapshot...]')
    .description('bring back what a backup holds: files, volumes, databases, and the services that use them')
    .usage('[options] [SNAPSHOT|FILE...]')
    .option('--only <source...>', 'these sources only')
    .option('--full', 'also the sources that are backed up with --full only')
    .option('--to <dir>', 'write the files under this directory, and leave this host alone')
    .addHelpText(
      'after',
      '\n`dockerctl restore latest --dry-run` shows what would be replaced, and what would be stopped meanwhile.' +
        `${snapshotNames}` +
        '\nA name with a dot or a slash is an archive that `backup export` wrote, of which the volumes may be several; - is' +
        '\nstandard input. A plain .tar is read where it lies; a compressed one is unpacked into the state directory meanwhile.',
    )
    .option('--skip-damaged', 'read everything first, name what is lost, and restore the rest; ends with 14')
    .option('--allow-hooks', "run on this host what a foreign snapshot's deployment file says")
    .option('--resume', 'finish a restore that was killed')
    .option('--rollback', 'take back the restore that was killed, or else the last one')
    .option('--status', 'tell which restores are under way or unfinished, and where replaced data is kept')
    .option('--drop-old', 'remove the data that finished restores replaced')
    .option(...repositoryOption)
    .option(...identityOption)
    .option(...signersOption)
    .action(wrap(restore));
}

async function restore(
  session: Session,
  { args: [named], options }: ParsedInput,
): Promise<number | undefined> {
  const asked = ['resume', 'rollback', 'status', 'dropOld'].filter((name) => options[name]);
  if (asked.length + (named.length === 0 ? 0 : 1) !== 1) {
    throw new UsageError(
      'restore needs a snapshot or an exported archive, or one of --resume, --rollback, --status and --drop-old',
      {
        advice: options.only
          ? 'Name the snapshot before --only: every word behind that is the name of a source'
          : 'dockerctl backup list shows the snapshots; `latest` is the newest complete one',
      },
    );
  }
  if (options.status) return showStatus(session);
  if (options.rollback) return takeBack(session);
  if (options.dropOld) return dropOld(session);
  if (options.resume) return resume(session, options);
  return restoreSnapshot(session, named, options);
}
