import { describeExit, startChild } from './child.ts';
import { FailedError } from './errors.ts';
import { firstBytes } from './first-bytes.ts';

/** How a program ended and what it said. */
export interface CommandResult {
  /** The exit status; 128 and the signal's number are never mixed in: a signal is an error. */
  status: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Written to its standard input, which is then closed. */
  input?: string | Uint8Array;
  /** Added to the environment that it inherits. */
  environment?: Record<string, string>;
  signal?: AbortSignal;
  /** Seconds it may take. */
  timeout?: number;
  /** It may end and leave something running that holds its outputs open: that is left in peace, and not waited for. */
  mayLeaveSome?: boolean;
}

const outputLimit = 1024 * 1024;

/**
 * Runs a program with these exact arguments, no shell between, and returns how it ended. Of what it prints the first
 * MiB is kept, of what it complains about the last 64 KiB.
 * @throws {FailedError} when it cannot be started (the cause carries `ENOENT`), a signal ended it or its time was up.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { input, environment, signal, timeout, mayLeaveSome = false }: CommandOptions = {},
): Promise<CommandResult> {
  const child = startChild([command, ...args], {
    ...(environment && { environment }),
    ...(signal && { signal }),
    ...(timeout !== undefined && { timeout }),
    ...(mayLeaveSome && { lingering: 1 }),
  });
  child.stdin.end(input);
  const [stdout, exit] = await Promise.all([firstBytes(child.stdout, outputLimit), child.exited]);
  if (exit.code === undefined || exit.timedOut) {
    throw new FailedError(`running ${command}: ${describeExit(exit)}`, { facts: { stderr: exit.stderr } });
  }
  return { status: exit.code, stdout, stderr: exit.stderr };
}

/**
 * How a program failed, in words for a message: `exit 3: no room`, the last line of what it complained about, or else
 * printed.
 */
export function describeFailure({ status, stdout, stderr }: CommandResult): string {
  const said = (stderr.trim() || stdout.trim()).split('\n').at(-1)?.slice(0, 200) ?? '';
  return said === '' ? `exit ${status}` : `exit ${status}: ${said}`;
}
