import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { converse, hasInput, hasTerminal } from '../../terminal.ts';

export function addShell(program: Command, wrap: Wrap): void {
  program
    .command('shell <service> [command...]')
    .description('run a command, or a shell, in a running service; its exit status is ours')
    .option('-u, --user <user>', 'as this user of the container')
    .passThroughOptions()
    .action(wrap(shell, { dryRun: 'Leave --dry-run away to run it' }));
}

async function shell(session: Session, { args: [name, command], options }: ParsedInput): Promise<number> {
  const { openShell } = await import('../../../lifecycle/shell.ts');
  const { io, context } = session;
  const execution = await openShell(await session.deployment(), await session.engine(), name, command, {
    tty: hasTerminal(io),
    stdin: hasInput(io),
    user: options.user,
  });
  return converse(execution, io, context.signal);
}
