import type { Deployment } from '../deployment/deployment.ts';
import type { Engine, Execution } from '../engine/engine.ts';
import { runningContainerOf } from './container-of.ts';

/** An interactive shell: bash where the image has it. */
const shell = ['sh', '-c', 'command -v bash >/dev/null && exec bash; exec sh'];

/**
 * Runs a command, or a shell when it is empty, in a service's container. Its messages are in the C locale, so that
 * scripts may read them.
 */
export async function openShell(
  deployment: Deployment,
  engine: Engine,
  name: string,
  command: readonly string[],
  { tty, stdin, user }: { tty: boolean; stdin: boolean; user?: string },
): Promise<Execution> {
  const container = await runningContainerOf(deployment, engine, name);
  return engine.containers.exec(container.id, {
    command: command.length > 0 ? command : shell,
    environment: { LANG: 'C' },
    tty,
    stdin,
    ...(user !== undefined && { user }),
  });
}
