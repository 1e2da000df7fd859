import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../support/context.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import type { DatabaseServer } from '../databases.ts';
import { ended } from './ended.ts';

export interface Settling {
  /** What is waited for, for messages. */
  kind: string;
  /** Milliseconds between two looks. */
  pause: number;
  /** For whoever waited in vain. */
  advice?: string;
  /** Whether its container may end and be started again meanwhile; else waiting ends with it. */
  mayRestart?: boolean;
  /** Whether the server that answers is the one that stays. Throws while none answers. */
  isSettled(): Promise<boolean>;
}

const patience = 180_000;

/**
 * Waits until the server that stays is up: official images initialise new data with a server of their own, which is
 * stopped again.
 * @throws {FailedError} when it is not in three minutes, or its container has ended
 */
export async function waitUntilSettled(
  server: DatabaseServer,
  settling: Settling,
  { signal }: Pick<Context, 'signal'>,
): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await look(settling, signal);
    if (answer === true) return;
    if (!settling.mayRestart) await expectRunning(server, settling.kind);
    if (performance.now() > deadline) throw inVain(server, settling, answer);
    await setTimeout(settling.pause, undefined, { signal });
  }
}

async function look({ isSettled }: Settling, signal: AbortSignal): Promise<boolean | { cause: unknown }> {
  try {
    return await isSettled();
  } catch (cause) {
    signal.throwIfAborted();
    return { cause };
  }
}

async function expectRunning(server: DatabaseServer, kind: string): Promise<void> {
  const state = (await server.engine.containers.inspect(server.container))?.state;
  if (state !== 'running') throw await ended(server, kind, state);
}

function inVain(
  { container }: DatabaseServer,
  { kind, advice }: Settling,
  answer: false | { cause: unknown },
): FailedError {
  const reason = answer === false ? 'it is still initialising' : messageOf(answer.cause);
  return new FailedError(`waiting for ${kind} in ${container}: ${reason}`, { ...(advice && { advice }) });
}
