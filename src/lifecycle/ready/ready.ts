import { setTimeout } from 'node:timers/promises';
import type { ReadyRetry, Service } from '../../deployment/deployment.ts';
import type { ContainerDetails, Engine } from '../../engine/engine.ts';
import type { Context } from '../../support/context.ts';
import { ContainerStateError } from '../../support/errors.ts';
import { describeCheck, tryCheck } from './ready-check.ts';

/** The problem of a service without a container: it has said nothing either. */
export const notCreated = 'it is not created';

/** How a service stands: `problem` is a line that says which check fails and what it answered last. */
export type Readiness = { ready: true } | { ready: false; problem: string; final: boolean };

/**
 * Tries a service's checks until all of them pass in one round.
 *
 * @throws ContainerStateError when the time is up, or at once when the container has ended for good
 */
export async function waitUntilReady(
  service: Service,
  container: string,
  engine: Engine,
  context: Context,
  retry: ReadyRetry = service.readyRetry,
): Promise<void> {
  const { signal, progress } = context;
  const end = performance.now() + retry.timeout * 1000;
  const task = progress.begin(`waiting for ${service.name}`);
  try {
    for (;;) {
      const readiness = await probe(service, container, engine, retry.attempt, context);
      if (readiness.ready) return;
      const left = end - performance.now();
      if (readiness.final || left <= 0) throw notReady(service, container, readiness, retry);
      await setTimeout(Math.min(retry.interval * 1000, left), undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
    }
  } finally {
    task.end();
  }
}

/** One round of a service's checks, in their order; the first that fails speaks for all. */
async function probe(
  service: Service,
  container: string,
  engine: Engine,
  attempt: number,
  context: Context,
): Promise<Readiness> {
  const before = await engine.containers.inspect(container);
  if (before?.state !== 'running') return notRunning(service, before);
  for (const check of service.ready) {
    const answer = await tryCheck(check, container, engine, { attempt, signal: context.signal });
    if (answer !== undefined)
      return { ready: false, problem: `${describeCheck(check)}: ${answer}`, final: false };
  }
  if (service.ready.length > 0) return { ready: true };
  return stillRunning(service, container, before, engine, context);
}

/** Without checks there is one question left: did it end as soon as it had begun? */
async function stillRunning(
  service: Service,
  container: string,
  before: ContainerDetails,
  engine: Engine,
  { signal, now }: Context,
): Promise<Readiness> {
  const age = now().getTime() - (before.startedAt?.getTime() ?? 0);
  if (age > graceOfUnchecked) return { ready: true };
  await setTimeout(graceOfUnchecked, undefined, { signal }).catch(() => {});
  signal.throwIfAborted();
  const after = await engine.containers.inspect(container);
  return after?.state === 'running' ? { ready: true } : notRunning(service, after);
}

/** Milliseconds. */
const graceOfUnchecked = 500;

function notRunning(service: Service, found: ContainerDetails | undefined): Readiness {
  if (found === undefined) return { ready: false, problem: notCreated, final: true };
  const ended = found.state === 'exited' || found.state === 'dead';
  const restarts = service.container.restart !== undefined && service.container.restart.name !== 'no';
  const problem = ended ? `it has ended with status ${found.exitCode}` : `it is ${found.state}`;
  return { ready: false, problem, final: ended && !restarts };
}

function notReady(
  service: Service,
  container: string,
  { problem, final }: Extract<Readiness, { ready: false }>,
  { timeout }: ReadyRetry,
): ContainerStateError {
  const patience = final ? '' : ` after ${timeout} s`;
  return new ContainerStateError(`${service.name} is not ready${patience}: ${problem}`, {
    advice: `dockerctl logs ${service.name} shows what it says`,
    facts: { service: service.name, container, problem },
  });
}
