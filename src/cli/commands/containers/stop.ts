import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { perform } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addStop(program: Command, wrap: Wrap): void {
  program
    .command('stop <service...>')
    .description('stop services, the last one started first')
    .action(wrap(stop));
}

async function stop(session: Session, { args: [names] }: ParsedInput): Promise<undefined> {
  const { planStop } = await import('../../../lifecycle/plan/stop.ts');
  return perform(session, names, (_, state, selected) => planStop(state, selected));
}
