import type { Network, Volume } from '../../deployment/deployment.ts';
import { labelNames } from '../../deployment/names.ts';
import type { Engine } from '../../engine/engine.ts';
import { unlessGone } from '../../engine/unless-gone.ts';
import type { Context } from '../../support/context.ts';
import { ContainerStateError, NotFoundError } from '../../support/errors.ts';
import { containerSpecOf } from '../container-spec.ts';
import type { Host } from '../host.ts';
import { isRunning } from '../host-state.ts';
import type { ContainerStep, Step } from '../plan/plan.ts';
import { waitUntilReady } from '../ready/ready.ts';
import { runHooks } from './hooks.ts';
import { makeOnce } from './make-once.ts';

/** Does one step of a plan. */
export async function doStep(step: Step, host: Host): Promise<void> {
  const { engine, context } = host;
  switch (step.do) {
    case 'load-images':
      return loadImages(step.images, step.archives, host);
    case 'create-volume':
      return createVolume(step.volume, host);
    case 'create-network':
      return createNetwork(step.network, host);
    case 'remove-network':
      return unlessGone(engine.networks.remove(step.network.name));
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
      return stop(step, engine);
    case 'remove':
      return unlessGone(engine.containers.remove(step.container, { volumes: true }));
  }
}

async function loadImages(images: readonly string[], archives: readonly string[], host: Host): Promise<void> {
  await host.loadImages?.(images, archives);
  for (const image of images) {
    if ((await host.engine.images.inspect(image)) !== undefined) continue;
    throw new NotFoundError(`none of the archives holds the image ${image}`, {
      advice: 'Load the one that does (dockerctl images load FILE), or correct x-dockerctl.images.archives',
      facts: { image, archives },
    });
  }
}

async function createVolume(volume: Volume, { deployment, engine }: Host): Promise<void> {
  await engine.volumes.create(volume.name, {
    ...(volume.driver !== undefined && { driver: volume.driver }),
    driverOptions: volume.driverOptions,
    labels: { ...volume.labels, [labelNames.deployment]: deployment.name },
  });
}

async function createNetwork(network: Network, { deployment, engine, context }: Host): Promise<void> {
  const options = {
    ...(network.driver !== undefined && { driver: network.driver }),
    internal: network.internal,
    subnets: network.subnets,
    labels: { ...network.labels, [labelNames.deployment]: deployment.name },
  };
  await makeOnce(
    () => engine.networks.create(network.name, options),
    async () => (await engine.networks.inspect(network.name)) !== undefined,
    context,
  );
}

async function create(
  { service, container }: ContainerStep,
  { deployment, engine, context }: Host,
): Promise<void> {
  const spec = containerSpecOf(deployment, service);
  const wanted = spec.labels?.[labelNames.configHash];
  await makeOnce(
    () => engine.containers.create(spec),
    async () => {
      const found = await engine.containers.inspect(container);
      return found?.labels[labelNames.configHash] === wanted && found?.state !== 'removing';
    },
    context,
  );
}

/** A supervisor that attached to it may have taken its restart policy away: the deployment's holds again. */
async function start({ service, container }: ContainerStep, engine: Engine): Promise<void> {
  const { restart } = service.container;
  if (restart !== undefined) await engine.containers.update(container, { restart });
  await engine.containers.start(container);
}

/** Whether it stays stopped is looked at once: a supervisor that does not know of this would start it again. */
async function stop({ service, container }: ContainerStep, engine: Engine): Promise<void> {
  await unlessGone(engine.containers.stop(container));
  const after = await engine.containers.inspect(container);
  if (after === undefined || !isRunning(after.state)) return;
  throw new ContainerStateError(`${container} was stopped and is ${after.state} again`, {
    advice: 'Something else starts it: stop its supervisor first',
    facts: { service: service.name, container },
  });
}

async function runToEnd(
  { service, container }: ContainerStep,
  engine: Engine,
  { signal }: Context,
): Promise<void> {
  await engine.containers.start(container);
  const status = await engine.containers.wait(container, { signal });
  if (status === 0) return;
  throw new ContainerStateError(`running ${container} to its end: it ended with status ${status}`, {
    advice: `dockerctl logs ${service.name} shows what it says`,
    facts: { service: service.name, container, status },
  });
}
