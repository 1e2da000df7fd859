import type { Deployment, Network, Volume } from '../deployment/deployment.ts';
import { containerName, labelNames } from '../deployment/names.ts';
import type { Engine } from '../engine/engine.ts';
import type { Context } from '../support/context.ts';
import {
  ContainerStateError,
  DockerctlError,
  FailedError,
  InterruptedError,
  messageOf,
  NotFoundError,
} from '../support/errors.ts';
import { containerSpecOf } from './container-spec.ts';
import { runHooks } from './hooks.ts';
import { type ContainerStep, describeStep, type Plan, type Step } from './plan.ts';
import { waitUntilReady } from './ready.ts';

/** Brings missing images into the engine from archives; what they hold besides may come along. */
export type LoadImages = (images: readonly string[], archives: readonly string[]) => Promise<void>;

/** Where plans are carried out. */
export interface Host {
  deployment: Deployment;
  engine: Engine;
  context: Context;
  /** Needed by plans that load images. */
  loadImages?: LoadImages;
}

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

async function doStep(step: Step, host: Host): Promise<void> {
  const { engine, context, deployment } = host;
  switch (step.do) {
    case 'load-images':
      return loadImages(step.images, step.archives, host);
    case 'create-volume':
      return createVolume(step.volume, deployment, engine);
    case 'create-network':
      return createNetwork(step.network, deployment, engine);
    case 'remove-network':
      return engine.networks.remove(step.network.name);
    case 'create':
      return create(step, host);
    case 'start':
      return start(step, engine);
    case 'run-to-end':
      return runToEnd(step, engine, context);
    case 'wait-ready':
      return waitUntilReady(step.service, step.container, engine, context);
    case 'hooks':
      return runHooks(step.service, step.container, step.point, engine, context.signal);
    case 'stop':
      return engine.containers.stop(step.container);
    case 'remove':
      return engine.containers.remove(step.container, { volumes: true });
  }
}

async function loadImages(images: readonly string[], archives: readonly string[], host: Host): Promise<void> {
  await host.loadImages?.(images, archives);
  for (const image of images) {
    if ((await host.engine.images.inspect(image)) !== undefined) continue;
    throw new NotFoundError(`none of the archives holds the image ${image}`, {
      advice: 'load the one that does (dockerctl images load FILE), or correct x-dockerctl.images.archives',
      facts: { image, archives },
    });
  }
}

async function createVolume(volume: Volume, { name }: Deployment, engine: Engine): Promise<void> {
  await engine.volumes.create(volume.name, {
    ...(volume.driver !== undefined && { driver: volume.driver }),
    driverOptions: volume.driverOptions,
    labels: { ...volume.labels, [labelNames.deployment]: name },
  });
}

async function createNetwork(network: Network, { name }: Deployment, engine: Engine): Promise<void> {
  await engine.networks.create(network.name, {
    ...(network.driver !== undefined && { driver: network.driver }),
    internal: network.internal,
    subnets: network.subnets,
    labels: { ...network.labels, [labelNames.deployment]: name },
  });
}

/** Another dockerctl, starting another service, may have made what both depend on a moment ago. */
async function create({ service, container }: ContainerStep, { deployment, engine }: Host): Promise<void> {
  const spec = containerSpecOf(deployment, service);
  try {
    await engine.containers.create(spec);
  } catch (error) {
    const found = await engine.containers.inspect(container).catch(() => undefined);
    if (found?.labels[labelNames.configHash] !== spec.labels?.[labelNames.configHash]) throw error;
  }
}

/** A supervisor that attached to it may have taken its restart policy away: the deployment's holds again. */
async function start({ service, container }: ContainerStep, engine: Engine): Promise<void> {
  const { restart } = service.container;
  if (restart !== undefined) await engine.containers.update(container, { restart });
  await engine.containers.start(container);
}

async function runToEnd(
  { service, container }: ContainerStep,
  engine: Engine,
  { signal }: Context,
): Promise<void> {
  await engine.containers.start(container);
  const status = await engine.containers.wait(container, { signal });
  if (status === 0) return;
  throw new ContainerStateError(`preparing the volumes of ${container}: it ended with status ${status}`, {
    advice: `dockerctl logs ${service.name} shows what it says`,
    facts: { service: service.name, container, status },
  });
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
