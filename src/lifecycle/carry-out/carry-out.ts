import { containerName } from '../../deployment/names.ts';
import {
  ContainerStateError,
  DockerctlError,
  FailedError,
  InterruptedError,
  messageOf,
} from '../../support/errors.ts';
import type { Host } from '../host.ts';
import { describeStep, type Plan, type Step } from '../plan/plan.ts';
import { doStep } from './do-step.ts';

/**
 * Does what a plan says, step by step, until one fails or the signal aborts. What was done stays done, and can be
 * done again: a plan made now would continue there.
 *
 * @throws what the step threw; where earlier steps had changed something, a failure becomes a `ContainerStateError`
 *   whose advice tells the state of every container concerned
 */
export async function carryOut(plan: Plan, host: Host): Promise<void> {
  plan.warnings.forEach((warning) => {
    host.context.progress.warn(warning);
  });
  for (const [index, step] of plan.steps.entries()) {
    try {
      host.context.signal.throwIfAborted();
      await doStep(step, host);
      host.context.progress.note(describeStep(step));
    } catch (error) {
      throw await withStates(error, plan.steps, index, host);
    }
  }
}

/** Nothing is left half done without a word: the error tells how every container of the plan stands now. */
async function withStates(
  error: unknown,
  steps: readonly Step[],
  failed: number,
  host: Host,
): Promise<unknown> {
  const concerned = new Set(steps.flatMap((step) => ('container' in step ? [step.service] : [])));
  if (concerned.size === 0 || !(error instanceof DockerctlError)) return error;
  if (failed === 0 && !(error instanceof ContainerStateError)) return error;
  const states = await Promise.all(
    [...concerned].map(async (service) => {
      const found = await host.engine.containers
        .inspect(containerName(host.deployment, service))
        .catch(() => ({ state: 'unknown' }));
      return `${service.name} ${found?.state ?? 'not created'}`;
    }),
  );
  const advice = `${error.advice === undefined ? '' : `${error.advice}; `}now: ${states.join(', ')}`;
  const details = { advice, facts: { ...error.facts, containers: states }, cause: error };
  if (error instanceof InterruptedError) return new InterruptedError(messageOf(error), details);
  if (error instanceof FailedError || error instanceof ContainerStateError) {
    return new ContainerStateError(messageOf(error), details);
  }
  return error;
}
