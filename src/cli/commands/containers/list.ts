import type { Command } from 'commander';
import type { ListedService } from '../../../lifecycle/list.ts';
import type { Session } from '../../context.ts';
import { openHost } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { renderTable } from '../../render/table.ts';

export function addList(program: Command, wrap: Wrap): void {
  program
    .command('list')
    .description('list services by their short names')
    .option('-l, --long', 'with image, state and container, those of other releases included')
    .action(wrap(list));
}

async function list(session: Session, { options }: ParsedInput): Promise<undefined> {
  const { listServices } = await import('../../../lifecycle/list.ts');
  const deployment = await session.deployment();
  if (!options.long && !session.global.json) {
    session.result(deployment.services, (services) => services.map(({ name }) => name).join('\n'));
    return;
  }
  session.result(await listServices(await openHost(session)), renderLong);
}

function renderLong(services: ListedService[]): string {
  const rows = services.map(({ name, image, state, container }) => [name, image, state, container]);
  return renderTable(['NAME', 'IMAGE', 'STATE', 'CONTAINER'], rows);
}
