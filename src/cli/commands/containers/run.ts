import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Session } from '../../context.ts';
import { openHost } from '../../lifecycle.ts';
import type { ParsedInput, Wrap } from '../../program.ts';
import { hasInput, hasTerminal, passOutput } from '../../terminal.ts';

export function addRun(program: Command, wrap: Wrap): void {
  program
    .command('run <service> [command...]')
    .description(
      "run a command in a new container with a service's image and settings; its exit status is ours",
    )
    .option('--rm', 'remove the container when the command has ended')
    .passThroughOptions()
    .action(wrap(run, { dryRun: 'Leave --dry-run away to run it' }));
}

async function run(session: Session, { args: [name, command], options }: ParsedInput): Promise<number> {
  const { prepareRun } = await import('../../../lifecycle/run-once.ts');
  const { io } = session;
  const host = await openHost(session);
  const tty = hasTerminal(io);
  const stdin = hasInput(io);
  const once = await prepareRun(name, host, { command, tty, stdin, remove: options.rm === true });
  const input = stdin ? { stdin: io.stdin as Readable } : {};
  const output = await host.engine.containers.attach(once.container, input);
  const passed = passOutput(output, io);
  if (tty) io.stdin.setRawMode?.(true);
  try {
    const status = await once.start();
    await passed;
    return status;
  } finally {
    if (tty) io.stdin.setRawMode?.(false);
    io.stdin.pause();
    output.close();
  }
}
