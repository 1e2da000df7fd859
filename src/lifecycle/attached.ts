import type { OutputStreams } from '../engine/engine.ts';
import { uninterruptible } from '../support/context.ts';
import { messageOf } from '../support/errors.ts';
import { carryOut } from './carry-out/carry-out.ts';
import { containerOf } from './container-of.ts';
import type { Host } from './host.ts';
import { observe } from './host-state.ts';
import type { Step } from './plan/plan.ts';
import { planStart } from './plan/start.ts';
import { findService } from './select.ts';
import { stopServices } from './services.ts';

export type PassOutput = (output: OutputStreams) => Promise<void>;

/**
 * Starts a service, if it does not run, and stays with it: hands its output to `pass` and resolves with its exit status
 * once it has ended. When the signal aborts the service is stopped, which is what a supervisor wants; so the engine
 * must not restart it on its own, and its restart policy is taken away. Returns `undefined` when it was stopped so.
 */
export async function startAttached(name: string, host: Host, pass: PassOutput): Promise<number | undefined> {
  const { deployment, engine, context } = host;
  const service = findService(deployment, name);
  const plan = planStart(deployment, await observe(host), [service]);
  const index = plan.steps.findIndex((step) => step.do === 'start' && step.service === service);
  const [before, after] =
    index === -1 ? [plan.steps, []] : [plan.steps.slice(0, index), plan.steps.slice(index + 1)];
  await carryOut({ ...plan, steps: before }, host);
  const { id } = await containerOf(deployment, engine, name);
  await engine.containers.update(id, { restart: { name: 'no' } });
  const output = await engine.containers.attach(id);
  const passed = pass(output);
  const ended = new AbortController();
  try {
    await engine.containers.start(id);
    welcome(after, host, ended.signal);
    const status = await engine.containers.wait(id, { signal: context.signal });
    await passed;
    return status;
  } catch (error) {
    if (!context.signal.aborted) throw error;
    await stopServices([name], { ...host, context: uninterruptible(context) });
    await passed;
    return undefined;
  } finally {
    ended.abort();
    output.close();
  }
}

/** What follows the start, readiness and hooks, goes on beside it; that it failed is told, and ends nothing. */
function welcome(steps: Step[], host: Host, ended: AbortSignal): void {
  const { context } = host;
  const signal = AbortSignal.any([context.signal, ended]);
  carryOut({ steps, warnings: [] }, { ...host, context: { ...context, signal } }).catch((error: unknown) => {
    if (!signal.aborted) context.progress.warn(messageOf(error));
  });
}
