import type { Service } from '../deployment/deployment.ts';
import { ContainerStateError } from '../support/errors.ts';
import type { Host } from './host.ts';
import { observe, type ServiceState } from './host-state.ts';
import { notCreated, waitUntilReady } from './ready/ready.ts';
import { selectServices } from './select.ts';

export interface CheckedService {
  name: string;
  ready: boolean;
  /** Why not: which check, and its last answer. */
  problem: string | undefined;
}

export interface CheckOptions {
  /** Seconds between two tries of a service's checks. */
  interval: number;
  /** Seconds after which a service that is not ready counts as failed; its own patience when left out. */
  timeout?: number;
}

/**
 * Checks services side by side, each until it is ready or its time is up. What is to be completed must have ended well.
 */
export async function checkServices(
  names: readonly string[],
  host: Host,
  { interval, timeout }: CheckOptions,
): Promise<CheckedService[]> {
  const { deployment, engine, context } = host;
  const selected = selectServices(deployment, names);
  const { services } = await observe(host);
  const check = async (service: Service): Promise<CheckedService> => {
    const state = services.get(service.name) as ServiceState;
    const retry = { ...service.readyRetry, interval, ...(timeout !== undefined && { timeout }) };
    const problem = state.completes
      ? completionProblem(state)
      : await waitUntilReady(service, state.container, engine, context, retry).then(
          () => undefined,
          problemOf,
        );
    context.signal.throwIfAborted();
    return { name: service.name, ready: problem === undefined, problem };
  };
  return Promise.all(selected.map(check));
}

function completionProblem({ state, exitCode }: ServiceState): string | undefined {
  if (state === 'exited' && exitCode === 0) return undefined;
  if (state === 'missing') return notCreated;
  return exitCode === undefined ? `it is ${state}` : `it ended with status ${exitCode}`;
}

function problemOf(error: unknown): string {
  if (error instanceof ContainerStateError && typeof error.facts.problem === 'string')
    return error.facts.problem;
  throw error;
}

/** What `check` throws when services are not ready. */
export function checkFailure(checked: readonly CheckedService[]): ContainerStateError | undefined {
  const failed = checked.filter(({ ready }) => !ready);
  const [first] = failed;
  if (first === undefined) return undefined;
  const others =
    failed.length === 1
      ? ''
      : `, and ${failed.length - 1} more ${failed.length === 2 ? 'is' : 'are'} not ready`;
  return new ContainerStateError(`${first.name} is not ready: ${first.problem}${others}`, {
    advice:
      first.problem === notCreated
        ? `dockerctl start ${first.name} creates and starts it`
        : `dockerctl logs ${first.name} shows what it says`,
    facts: { services: failed.map(({ name, problem }) => `${name}: ${problem}`) },
  });
}
