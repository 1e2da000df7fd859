import { pipeline } from 'node:stream/promises';

import { type Child, describeExit, startChild } from '../../support/child.ts';
import { DamagedError, FailedError } from '../../support/errors.ts';
import { silenceLimit, watched } from '../../support/watched.ts';
import { requireTrustedProgram } from '../trust/trusted-program.ts';

/** A command of the deployment file that runs on the host and prints, or reads, more than fits into memory. */
export interface HostCommand {
  command: readonly string[];
  /** Seconds. */
  timeout?: number | undefined;
}

/**
 * Everything a command prints. Throws after the last byte unless it exited with 0: what was read without a throw is
 * whole.
 * @param onComplaints is given what it said on stderr although it succeeded; the end of it, if it was long
 * @throws {UsageError} when root is to run what others could write.
 * @throws {FailedError} when it fails or its time is up
 */
export async function* outputOfHostCommand(
  said: HostCommand,
  signal: AbortSignal,
  onComplaints: (text: string) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const purpose = `running ${said.command[0]}`;
  const unread = new AbortController();
  const child = await start(said, AbortSignal.any([signal, unread.signal]));
  child.stdin.end();
  try {
    yield* watched(child.stdout, { purpose, signal }, silenceLimit);
    const complaints = await expectSuccess(said, child, signal);
    if (complaints !== '') onComplaints(complaints);
  } finally {
    unread.abort(new FailedError(`${purpose}: nobody reads on`)); // No more than a word to what has ended.
  }
}

/** Gives a command its input. Throws as `outputOfHostCommand` does, and what reading damaged input throws. */
export async function feedHostCommand(
  said: HostCommand,
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const child = await start(said, signal);
  child.stdout.resume();
  // It may stop reading before the end; its exit status tells whether it had to.
  const feeding = pipeline(input, child.stdin).catch((error: unknown) => {
    if (error instanceof DamagedError) throw error;
  });
  await Promise.all([feeding, expectSuccess(said, child, signal)]);
}

async function start({ command, timeout }: HostCommand, signal: AbortSignal): Promise<Child> {
  await requireTrustedProgram(command[0] ?? '');
  return startChild(command, { signal, ...(timeout !== undefined && { timeout }) });
}

/** @returns what it said on stderr */
async function expectSuccess(
  { command }: HostCommand,
  { exited }: Child,
  signal: AbortSignal,
): Promise<string> {
  const exit = await exited;
  signal.throwIfAborted();
  const complaints = exit.stderr.trim();
  if (exit.code === 0 && !exit.timedOut) return complaints;
  const last = complaints.split('\n').at(-1) ?? '';
  throw new FailedError(`running ${command[0]}: ${describeExit(exit)}${last && `: ${last}`}`, {
    facts: { stderr: complaints },
  });
}
