import type { Deployment, HookPoint, Service } from '../../deployment/deployment.ts';
import { NotFoundError } from '../../support/errors.ts';
import { type HostState, isRunning, type ServiceState } from '../host-state.ts';
import type { ContainerStep, Plan, Step } from './plan.ts';
import { refuseConflict } from './refuse-conflict.ts';
import { refuseMovedTags } from './refuse-moved-tags.ts';

export interface StartOptions {
  /** Only create; start nothing. */
  createOnly?: boolean;
  /** Load missing images from the deployment's archives; else a missing image is an error. */
  loadImages?: boolean;
  /** Wait for the readiness of services that already run, too. */
  checkRunning?: boolean;
  /** Do not wait for readiness at all. */
  withoutReadiness?: boolean;
}

/**
 * What brings these services up: what they depend on comes with them, in the deployment's order, each ready before the
 * next. What runs is left alone, what is stopped is started, what is missing is created.
 *
 * @throws FailedError, NotFoundError or ContainerStateError when it cannot work, before anything is touched
 */
export function planStart(
  deployment: Deployment,
  state: HostState,
  selected: readonly Service[],
  options: StartOptions = {},
): Plan {
  const wanted = [...withDependencies(deployment, selected, options)].map((service) =>
    stateIn(state, service),
  );
  for (const service of wanted) refuseConflict(service);
  refuseMovedTags(state, wanted);
  const missing = wanted.filter(isMissing);
  const named = new Set(selected);
  const waitsFor = (one: ServiceState) => named.has(one.service) && options.checkRunning === true;
  return {
    steps: [
      ...resourceSteps(deployment, state, missing),
      ...imageSteps(state, missing, options),
      ...wanted.flatMap((one) => serviceSteps(one, options, waitsFor(one))),
    ],
    warnings: wanted.flatMap((one) => outdatedWarning(one)),
  };
}

/** Creating needs the containers whose volumes or namespaces are shared; starting needs everything depended on. */
function withDependencies(
  { services }: Deployment,
  selected: readonly Service[],
  { createOnly = false }: StartOptions,
): Service[] {
  const wanted = new Set<string>();
  const add = (service: Service | undefined) => {
    if (service === undefined || wanted.has(service.name)) return;
    wanted.add(service.name);
    for (const { service: name } of service.dependsOn) {
      if (!createOnly || sharesWith(service, name)) add(services.find((one) => one.name === name));
    }
  };
  selected.forEach(add);
  return services.filter(({ name }) => wanted.has(name));
}

function sharesWith({ container }: Service, name: string): boolean {
  const { networkMode, pidMode, ipcMode, volumesFrom = [] } = container;
  return [networkMode, pidMode, ipcMode, ...volumesFrom].some((reference) => {
    return reference === `service:${name}` || reference?.startsWith(`service:${name}:`);
  });
}

function stateIn(state: HostState, { name }: Service): ServiceState {
  const found = state.services.get(name);
  if (found === undefined) throw new Error(`the state of ${name} was not observed`);
  return found;
}

/** Volumes and networks of the containers to be created; what is external must be there. */
function resourceSteps(
  { volumes, networks }: Deployment,
  state: HostState,
  missing: readonly ServiceState[],
): Step[] {
  const mounted = new Set(
    missing.flatMap(({ service }) => service.container.mounts ?? []).map(({ source }) => source),
  );
  const joined = new Set(
    missing.flatMap(({ service }) => service.container.networks ?? []).map(({ name }) => name),
  );
  const absentVolumes = volumes.filter(({ name }) => mounted.has(name) && !state.volumes.has(name));
  const absentNetworks = networks.filter(({ name }) => joined.has(name) && !state.networks.has(name));
  for (const { name, external } of absentVolumes) if (external) throw notThere('volume', name);
  for (const { name, external } of absentNetworks) if (external) throw notThere('network', name);
  return [
    ...absentVolumes.map((volume): Step => ({ do: 'create-volume', volume })),
    ...absentNetworks.map((network): Step => ({ do: 'create-network', network })),
  ];
}

function notThere(kind: 'volume' | 'network', name: string): NotFoundError {
  return new NotFoundError(`the engine has no ${kind} ${name}, which the deployment calls external`, {
    advice: `Create it (docker ${kind} create ${name}), or take external out of the deployment file`,
    facts: { [kind]: name },
  });
}

function imageSteps(
  state: HostState,
  missing: readonly ServiceState[],
  { loadImages = false }: StartOptions,
): Step[] {
  const wanted = new Set(missing.map(({ service }) => service.image));
  const images = [...wanted].filter((image) => !state.images.has(image));
  if (images.length === 0) return [];
  const archives = [...state.archives];
  if (loadImages && archives.length > 0) return [{ do: 'load-images', images, archives }];
  const [first] = images;
  throw new NotFoundError(
    `the engine has no image ${first}${images.length > 1 ? ` and ${images.length - 1} more` : ''}`,
    {
      advice:
        archives.length > 0
          ? 'dockerctl build loads it from the archives of the deployment file'
          : 'load it (dockerctl images load FILE), or say in x-dockerctl.images.archives where archives lie',
      facts: { images },
    },
  );
}

function serviceSteps(one: ServiceState, options: StartOptions, checkRunning: boolean): Step[] {
  const { service, container, state } = one;
  const about = { service, container };
  const create: ContainerStep[] = isMissing(one) ? [{ do: 'create', ...about }] : [];
  if (options.createOnly) return create;
  if (one.completes) {
    const done = state === 'exited' && one.exitCode === 0;
    return done ? [] : [...create, { do: 'run-to-end', ...about }];
  }
  const wait: ContainerStep[] = options.withoutReadiness ? [] : [{ do: 'wait-ready', ...about }];
  if (isRunning(state)) return checkRunning ? wait : [];
  return [
    ...create,
    ...hookSteps(one, 'pre-start'),
    { do: 'start', ...about },
    ...wait,
    ...hookSteps(one, 'post-start'),
  ];
}

/** What is being removed is as good as gone: a new one takes its name. */
function isMissing({ state }: ServiceState): boolean {
  return state === 'missing' || state === 'removing';
}

/** The hooks of a point as a step, if the service has any. */
export function hookSteps({ service, container }: ServiceState, point: HookPoint): Step[] {
  return service.hooks[point] === undefined ? [] : [{ do: 'hooks', service, container, point }];
}

function outdatedWarning({ service, container, outdated }: ServiceState): string[] {
  if (outdated === undefined) return [];
  const reason =
    outdated === 'image' ? `its image ${service.image} has been replaced` : 'its settings have changed';
  return [`${container} is as it was made: ${reason} since; dockerctl revert ${service.name} makes it anew`];
}
