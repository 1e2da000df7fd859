import type { Command } from 'commander';
import type { Wrap } from '../program.ts';
import { addBackup } from './backup/backup.ts';
import { addContainers } from './containers/containers.ts';
import { addHost } from './host/host.ts';
import { addImages } from './images/images.ts';
import { addRestore } from './restore/restore.ts';

/**
 * Every command, in the order `--help` lists them. A command's file adds itself to its parent and says what it does; it
 * imports what it needs of the core when it runs, so that starting stays quick:
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
 *       const { listServices } = await import('…/lifecycle/list.ts');
 *       const services = await listServices(await openHost(session));
 *       session.result(services, (all) => renderTable(…));
 *     }
 */
export function addCommands(program: Command, wrap: Wrap): void {
  program.commandsGroup('Containers:');
  addContainers(program, wrap);
  program.commandsGroup('Images:');
  addImages(program, wrap);
  program.commandsGroup('Backup and restore:');
  addBackup(program, wrap);
  addRestore(program, wrap);
  program.commandsGroup('This host:');
  addHost(program, wrap);
}
