import type { Command } from 'commander';
import { snapshotNames } from '../../arguments/backup-repository.ts';
import type { Wrap } from '../../program.ts';
import { addBackupCat } from './cat.ts';
import { addBackupCreate } from './create.ts';
import { addBackupDiff } from './diff.ts';
import { addBackupExport } from './export.ts';
import { addBackupImport } from './import.ts';
import { addBackupKeyGenerate } from './key-generate.ts';
import { addBackupList } from './list.ts';
import { addBackupLs } from './ls.ts';
import { addBackupPrune } from './prune.ts';
import { addBackupReceive } from './receive.ts';
import { addBackupRemove } from './remove.ts';
import { addBackupRepair } from './repair.ts';
import { addBackupSend } from './send.ts';
import { addBackupShow } from './show.ts';
import { addBackupStatus } from './status.ts';
import { addBackupVerify } from './verify.ts';

/** The commands of `dockerctl backup`. */
export function addBackup(program: Command, wrap: Wrap): void {
  const backup = program
    .command('backup')
    .description('back up the deployment while it runs, and look after its backups')
    .addHelpText(
      'after',
      '\n`dockerctl backup [DEST]` is `dockerctl backup create [DEST]`: what cron runs, with all its options.' +
        `${snapshotNames}\nA run ends with 3 when its snapshot is incomplete; whatever finds something damaged ends with 14.`,
    );
  addBackupCreate(backup, wrap);
  addBackupList(backup, wrap);
  addBackupShow(backup, wrap);
  addBackupLs(backup, wrap);
  addBackupCat(backup, wrap);
  addBackupDiff(backup, wrap);
  addBackupVerify(backup, wrap);
  addBackupRepair(backup, wrap);
  addBackupStatus(backup, wrap);
  addBackupPrune(backup, wrap);
  addBackupRemove(backup, wrap);
  addBackupExport(backup, wrap);
  addBackupImport(backup, wrap);
  addBackupSend(backup, wrap);
  addBackupReceive(backup, wrap);
  addBackupKeyGenerate(backup, wrap);
}
