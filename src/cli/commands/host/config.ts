import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import type { Wrap } from '../../program.ts';

export function addConfig(program: Command, wrap: Wrap): void {
  program
    .command('config')
    .description('check the deployment file and print what it comes to, variables replaced')
    .action(wrap(config));
}

async function config(session: Session): Promise<undefined> {
  const { renderDeployment } = await import('../../../deployment/render.ts');
  session.result(await session.deployment(), renderDeployment);
}
