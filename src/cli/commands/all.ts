import type { Command } from 'commander';
import type { Action } from '../program.ts';
import { addBackupKeyGenerate } from './backup-key-generate.ts';
import { addBackupList } from './backup-list.ts';
import { addBackupStatus } from './backup-status.ts';
import { addBackupVerify } from './backup-verify.ts';
import { addCompletion } from './completion.ts';
import { addImagesList } from './images-list.ts';
import { addImagesLoad } from './images-load.ts';
import { addSchedule } from './schedule.ts';

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
 *       const services = await listServices(await session.deployment(), await session.engine());
 *       session.result(services, (all) => renderTable(…));
 *     }
 */
export function addCommands(program: Command, wrap: Wrap): void {
  program.commandsGroup('Containers:');
  program.commandsGroup('Images:');
  const images = program.command('images').description('load, inspect, save and compare images, by release');
  addImagesLoad(images, wrap);
  addImagesList(images, wrap);
  program.commandsGroup('Backup and restore:');
  const backup = program.command('backup').description('back up the deployment while it runs');
  addBackupList(backup, wrap);
  addBackupVerify(backup, wrap);
  addBackupStatus(backup, wrap);
  addBackupKeyGenerate(backup, wrap);
  program.commandsGroup('This host:');
  addSchedule(program, wrap);
  addCompletion(program, wrap);
}
