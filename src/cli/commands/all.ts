import type { Command } from 'commander';
import type { Action } from '../program.ts';
import { addAttach } from './attach.ts';
import { addBackupCat } from './backup-cat.ts';
import { addBackupCreate } from './backup-create.ts';
import { addBackupDiff } from './backup-diff.ts';
import { addBackupExport } from './backup-export.ts';
import { addBackupImport } from './backup-import.ts';
import { addBackupKeyGenerate } from './backup-key-generate.ts';
import { addBackupList } from './backup-list.ts';
import { addBackupLs } from './backup-ls.ts';
import { addBackupPrune } from './backup-prune.ts';
import { addBackupReceive } from './backup-receive.ts';
import { addBackupRemove } from './backup-remove.ts';
import { addBackupRepair } from './backup-repair.ts';
import { addBackupSend } from './backup-send.ts';
import { addBackupShow } from './backup-show.ts';
import { addBackupStatus } from './backup-status.ts';
import { addBackupVerify } from './backup-verify.ts';
import { addBuild } from './build.ts';
import { addCheck } from './check.ts';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import { addCopy } from './copy.ts';
import { addCreate } from './create.ts';
import { addDestroy } from './destroy.ts';
import { addImagesDiff } from './images-diff.ts';
import { addImagesInspect } from './images-inspect.ts';
import { addImagesList } from './images-list.ts';
import { addImagesLoad } from './images-load.ts';
import { addImagesPrune } from './images-prune.ts';
import { addImagesReceipt } from './images-receipt.ts';
import { addImagesRemove } from './images-remove.ts';
import { addImagesSave } from './images-save.ts';
import { addImagesVerify } from './images-verify.ts';
import { addInspect } from './inspect.ts';
import { addList } from './list.ts';
import { addLogs } from './logs.ts';
import { addRestart } from './restart.ts';
import { addRestore } from './restore.ts';
import { addRevert } from './revert.ts';
import { addRun } from './run.ts';
import { addSchedule } from './schedule.ts';
import { addShell } from './shell.ts';
import { addStart } from './start.ts';
import { addStop } from './stop.ts';

/** Turns what a command does into commander's handler. */
export type Wrap = (action: Action) => (...parsed: unknown[]) => Promise<void>;

/**
 * Every command, in the order `--help` lists them. A command's file adds itself to its parent and says what it does;
 * it imports its room when it runs, so that starting stays quick:
 *
 *     export function addList(program: Command, wrap: Wrap): void {
 *       program
 *         .command('list')
 *         .description('list services by their short names')
 *         .option('-l, --long', 'with image, state and container name')
 *         .action(wrap(list));
 *     }
 *
 *     async function list(session: Session, { options }: ParsedInput) {
 *       const { listServices } = await import('../../lifecycle/list.ts');
 *       const services = await listServices(await openHost(session));
 *       session.result(services, (all) => renderTable(…));
 *     }
 */
export function addCommands(program: Command, wrap: Wrap): void {
  program.commandsGroup('Containers:');
  addBuild(program, wrap);
  addCreate(program, wrap);
  addRun(program, wrap);
  addStart(program, wrap);
  addStop(program, wrap);
  addRestart(program, wrap);
  addDestroy(program, wrap);
  addRevert(program, wrap);
  addList(program, wrap);
  addCheck(program, wrap);
  addShell(program, wrap);
  addLogs(program, wrap);
  addAttach(program, wrap);
  addInspect(program, wrap);
  addCopy(program, wrap);
  program.commandsGroup('Images:');
  const images = program.command('images').description('load, inspect, save and compare images, by release');
  addImagesLoad(images, wrap);
  addImagesInspect(images, wrap);
  addImagesVerify(images, wrap);
  addImagesSave(images, wrap);
  addImagesReceipt(images, wrap);
  addImagesList(images, wrap);
  addImagesDiff(images, wrap);
  addImagesRemove(images, wrap);
  addImagesPrune(images, wrap);
  program.commandsGroup('Backup and restore:');
  const backup = program.command('backup').description('back up the deployment while it runs');
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
  addRestore(program, wrap);
  program.commandsGroup('This host:');
  addConfig(program, wrap);
  addSchedule(program, wrap);
  addCompletion(program, wrap);
}
