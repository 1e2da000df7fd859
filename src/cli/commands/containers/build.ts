import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { perform } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addBuild(program: Command, wrap: Wrap): void {
  program
    .command('build [service...]')
    .description(
      'bring everything up: images, volumes, storage, then services in order, each ready before the next',
    )
    .action(wrap(build));
}

async function build(session: Session, { args: [names] }: ParsedInput): Promise<undefined> {
  const { planStart } = await import('../../../lifecycle/plan/start.ts');
  const options = { loadImages: true, checkRunning: true };
  return perform(session, names.length > 0 ? names : ['all'], (deployment, state, selected) => {
    return planStart(deployment, state, selected, options);
  });
}
