import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { passOutput } from '../../terminal.ts';

export function addAttach(program: Command, wrap: Wrap): void {
  program
    .command('attach <service>')
    .description('follow what a running service prints from now on; Ctrl-C leaves it running')
    .action(wrap(attach));
}

async function attach(session: Session, { args: [name] }: ParsedInput): Promise<undefined> {
  const { runningContainerOf } = await import('../../../lifecycle/container-of.ts');
  const engine = await session.engine();
  const { id } = await runningContainerOf(await session.deployment(), engine, name);
  const output = await engine.containers.attach(id);
  session.context.signal.addEventListener('abort', () => output.close());
  await passOutput(output, session.io);
}
