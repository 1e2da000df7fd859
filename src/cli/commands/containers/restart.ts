import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { perform } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addRestart(program: Command, wrap: Wrap): void {
  program
    .command('restart <service...>')
    .description('stop services and start them again')
    .action(wrap(restart));
}

async function restart(session: Session, { args: [names] }: ParsedInput): Promise<undefined> {
  const { planRestart } = await import('../../../lifecycle/plan/stop.ts');
  return perform(session, names, planRestart);
}
