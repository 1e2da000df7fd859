import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { perform, removedBy } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addDestroy(program: Command, wrap: Wrap): void {
  program
    .command('destroy <service...>')
    .description('stop services and remove their containers; named volumes and host directories stay')
    .action(wrap(destroy));
}

async function destroy(session: Session, { args: [names] }: ParsedInput): Promise<undefined> {
  const { planDestroy } = await import('../../../lifecycle/plan/stop.ts');
  return perform(session, names, planDestroy, (plan) => {
    return `destroy ${removedBy(plan)} and all that lies in them and their anonymous volumes`;
  });
}
