import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../support/context.ts';
import { makeDirectoryDurably } from '../../support/durable.ts';
import { codeOf, FailedError, LockedError, messageOf } from '../../support/errors.ts';
import { acquireLock, type Lock } from '../../support/lock.ts';

/** Milliseconds between two looks at a lock that another dockerctl holds, and how many of them. */
const pause = 50;
const patience = 600;

/**
 * Makes something that several services need, unless `made` finds it. Supervisors start services side by side, a
 * dockerctl each, and engines that are asked for one network twice make two of the same name: so looking and making go
 * under a lock, held for that moment only.
 */
export async function makeOnce(
  make: () => Promise<unknown>,
  made: () => Promise<boolean>,
  context: Context,
): Promise<void> {
  const lock = await waitForLock(context);
  try {
    if (!(await made())) await make();
  } finally {
    lock.release();
  }
}

/** @throws LockedError when whoever holds it does not let go for half a minute */
async function waitForLock({ stateDir, signal, now }: Context): Promise<Lock> {
  await makeDirectoryDurably(stateDir).catch((error: unknown) => {
    throw unusable(stateDir, error);
  });
  for (let tries = 1; ; tries++) {
    try {
      return acquireLock(join(stateDir, 'containers.lock'), {
        mode: 'exclusive',
        purpose: 'create',
        now: now(),
      });
    } catch (error) {
      if (!(error instanceof LockedError)) throw unusable(stateDir, error);
      if (tries === patience) throw error;
    }
    await setTimeout(pause, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

function unusable(stateDir: string, cause: unknown): unknown {
  if (codeOf(cause) === undefined) return cause;
  return new FailedError(`using the state directory ${stateDir}: ${messageOf(cause)}`, {
    advice: 'Run as root, or name another one with --state-dir or DOCKERCTL_STATE_DIR',
    facts: { path: stateDir },
    cause,
  });
}
