import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';

export function addInspect(program: Command, wrap: Wrap): void {
  program
    .command('inspect <service>')
    .description("print all that the engine knows of a service's container, as JSON")
    .action(wrap(inspect));
}

async function inspect(session: Session, { args: [name] }: ParsedInput): Promise<undefined> {
  const { containerOf } = await import('../../../lifecycle/container-of.ts');
  const { raw } = await containerOf(await session.deployment(), await session.engine(), name);
  session.result(raw, (value) => JSON.stringify(value, undefined, 2));
}
