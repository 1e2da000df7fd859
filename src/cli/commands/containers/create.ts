import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { perform } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addCreate(program: Command, wrap: Wrap): void {
  program
    .command('create <service...>')
    .description('create containers without starting them')
    .action(wrap(create));
}

async function create(session: Session, { args: [names] }: ParsedInput): Promise<undefined> {
  const { planStart } = await import('../../../lifecycle/plan/start.ts');
  return perform(session, names, (deployment, state, selected) => {
    return planStart(deployment, state, selected, { createOnly: true });
  });
}
