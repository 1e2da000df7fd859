import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { perform, removedBy } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addRevert(program: Command, wrap: Wrap): void {
  program
    .command('revert <service...>')
    .description("make containers anew: back to the image's state and the file's settings")
    .action(wrap(revert));
}

async function revert(session: Session, { args: [names] }: ParsedInput): Promise<undefined> {
  const { planRevert } = await import('../../../lifecycle/plan/stop.ts');
  return perform(session, names, planRevert, (plan) => {
    const removed = removedBy(plan) || 'nothing';
    return `make anew, losing all that lies in them and their anonymous volumes: ${removed}`;
  });
}
