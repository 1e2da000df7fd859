import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { startCli } from '../../support/cli-process.ts';

export interface EndedCommand {
  /** `null` when it was killed. */
  status: number | null;
  stderr: string;
  /** Milliseconds. */
  took: number;
}

/** The real command; killed after so many milliseconds unless it ends before. */
export async function runCommand(
  args: readonly string[],
  environment: Record<string, string>,
  killAfter?: number,
): Promise<EndedCommand> {
  const started = performance.now();
  const child = startCli(args, environment, ['ignore', 'ignore', 'pipe']);
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  if (killAfter !== undefined) {
    await Promise.race([setTimeout(killAfter), ended]);
    child.kill('SIGKILL');
  }
  const [status] = (await ended) as [number | null];
  return { status, stderr, took: performance.now() - started };
}
