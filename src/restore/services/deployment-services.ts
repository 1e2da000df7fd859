import { chown, realpath, stat } from 'node:fs/promises';
import { normalize } from 'node:path';
import type { Service } from '../../deployment/deployment.ts';
import { labelNames } from '../../deployment/names.ts';
import type { ContainerDetails } from '../../engine/engine.ts';
import { runningContainerOf } from '../../lifecycle/container-of.ts';
import type { Host } from '../../lifecycle/host.ts';
import {
  type HostState,
  isRunning,
  type ServiceState as Observed,
  observe,
} from '../../lifecycle/host-state.ts';
import { refuseMovedTags } from '../../lifecycle/plan/refuse-moved-tags.ts';
import { findService } from '../../lifecycle/select.ts';
import { destroyServices, startServices, stopServices } from '../../lifecycle/services.ts';
import { spareSpec } from '../../lifecycle/spare-container.ts';
import { openCatalog } from '../../releases/catalog/catalog.ts';
import { loadImages } from '../../releases/load/load.ts';
import type { MountSpec } from '../../support/container-spec.ts';
import { EngineUnreachableError } from '../../support/errors.ts';
import { fromText } from '../../support/posix/byte-path.ts';
import type { Mount, ServiceState, Services, SpareContainer, Stranger } from './services.ts';

/** The services of a deployment, brought up and down by the lifecycle room. */
export function deploymentServices(host: Host): Services {
  const { deployment, engine } = host;
  return {
    async list() {
      if (deployment.services.length === 0) return [];
      const state = await observe(host);
      return Promise.all([...state.services.values()].map((one) => describe(one, imageAt(state, one), host)));
    },
    strangers: () => strangersOf(host).catch((error) => noneWithoutEngine(error, deployment)),
    async stop(names, context) {
      await stopServices(names, { ...host, context });
    },
    async start(names, { ready }, context) {
      const options = ready ? { checkRunning: true } : { withoutReadiness: true };
      await startServices(names, { ...host, context }, { ...options, loadImages: true });
    },
    async loadImages(bundle, context) {
      const catalog = openCatalog(context.stateDir, context.progress.warn);
      const { release, images } = deployment;
      await loadImages([bundle], { engine, catalog, release, signers: images.signers }, context);
    },
    mountedAt: (name, target) => mountedAt(host, name, target),
    createSpare: (name, spare) => createSpare(host, findService(deployment, name), spare),
    destroy: (names, context) => destroyServices(names, { ...host, context }),
    container: async (name) => (await runningContainerOf(deployment, engine, name)).name,
  };
}

/** Of the very image that the service will run: loaded if need be, and refused where `start` would refuse it. */
async function createSpare(host: Host, service: Service, { adapt, ...spare }: SpareContainer): Promise<void> {
  const { engine } = host;
  let state = await observe(host);
  if (!state.images.has(service.image)) {
    await host.loadImages?.([service.image], state.archives);
    state = await observe(host);
  }
  refuseMovedTags(state, [{ ...state.services.get(service.name)!, state: 'missing' }]);
  const image = await engine.images.inspect(service.image);
  await giveAway(spare.data.source, service.container.user ?? image?.user ?? '');
  await engine.containers.create(await spareSpec(host, service, spare, adapt));
}

/** A directory that nobody but root had yet goes to whom the container runs as, where that is said by number. */
async function giveAway(directory: string, user: string): Promise<void> {
  const [, uid, gid = '0'] = /^(\d+)(?::(\d+))?$/.exec(user) ?? [];
  if (uid !== undefined && (await stat(directory)).uid === 0)
    await chown(directory, Number(uid), Number(gid));
}

function imageAt({ images, archives }: HostState, { service }: Observed): ServiceState['imageAt'] {
  if (images.has(service.image)) return 'engine';
  return archives.length > 0 ? 'archives' : 'nowhere';
}

async function describe(
  one: Observed,
  imageAt: ServiceState['imageAt'],
  { engine }: Host,
): Promise<ServiceState> {
  const { service, container, state } = one;
  const exists = state !== 'missing' && state !== 'foreign';
  const mounts = exists ? mountsOf(await engine.containers.inspect(container)) : declaredMounts(one);
  return {
    name: service.name,
    image: service.image,
    imageAt,
    state: exists ? (isRunning(state) ? 'running' : 'stopped') : 'missing',
    storage: service.storage,
    dependsOn: service.dependsOn.map((dependency) => dependency.service),
    mounts: await Promise.all(mounts.map(resolved)),
  };
}

/**
 * By what the deployment says, not by what a container has now: one that was made otherwise is made anew when it
 * starts.
 */
async function mountedAt(
  host: Host,
  name: string,
  target: string,
): Promise<{ volume: string } | { directory: string } | undefined> {
  const mounts = await mountsSaid(host, findService(host.deployment, name));
  const found = mounts.find((mount) => normalize(`${mount.target}/`) === normalize(`${target}/`));
  if (found === undefined || found.source === '') return undefined;
  if (found.type === 'volume') return { volume: found.source };
  return { directory: (await resolved({ source: found.source, target })).source };
}

type SaidMount = Pick<MountSpec, 'source' | 'target'> & { type: string };

/** A service's own, before those that it shares with others. */
async function mountsSaid(host: Host, { container }: Service): Promise<SaidMount[]> {
  const shared = await Promise.all(
    (container.volumesFrom ?? []).map((from) => {
      const [, kind, name = ''] = /^(service:)?([^:]*)/.exec(from) ?? [];
      return kind ? mountsSaid(host, findService(host.deployment, name)) : mountsOfStranger(host, name);
    }),
  );
  return [...(container.mounts ?? []), ...shared.flat()];
}

async function mountsOfStranger({ engine }: Host, name: string): Promise<SaidMount[]> {
  const mounts = (await engine.containers.inspect(name))?.mounts ?? [];
  return mounts.map(({ type, name: volume, source, target }) => ({
    type,
    source: type === 'volume' ? (volume ?? '') : source,
    target,
  }));
}

/** Running containers of anybody else, another release of this deployment included. */
async function strangersOf(host: Host): Promise<Stranger[]> {
  const { deployment, engine } = host;
  const own = new Set([...(await observe(host)).services.values()].map(({ container }) => container));
  const others = (await engine.containers.list()).filter(
    ({ name, state, labels }) =>
      state === 'running' && !(own.has(name) && labels[labelNames.deployment] === deployment.name),
  );
  const found = await Promise.all(
    others.map(async ({ id, labels }): Promise<Stranger[]> => {
      const details = await engine.containers.inspect(id);
      if (details === undefined) return [];
      const mounts = await Promise.all(mountsOf(details).map(resolved));
      const own = serviceSaidBy(labels, deployment);
      return [{ name: details.name, mounts, ...(own && { own }) }];
    }),
  );
  return found.flat();
}

function serviceSaidBy(labels: Record<string, string>, { name }: Host['deployment']): Stranger['own'] {
  const service = labels[labelNames.service];
  if (service === undefined || labels[labelNames.deployment] !== name) return undefined;
  return { service, release: labels[labelNames.release] ?? '' };
}

/** A plain host that is backed up without containers need not have an engine. */
function noneWithoutEngine(error: unknown, { services }: Host['deployment']): [] {
  if (error instanceof EngineUnreachableError && services.length === 0) return [];
  throw error;
}

function mountsOf(container: ContainerDetails | undefined): Mount[] {
  return (container?.mounts ?? []).filter(({ source }) => source.startsWith('/'));
}

/** Those of a container that is yet to be made; where its volumes will lie is not known. */
function declaredMounts({ service }: Observed): Mount[] {
  return (service.container.mounts ?? []).filter(({ type }) => type === 'bind');
}

async function resolved({ source, target }: Mount): Promise<Mount> {
  return { source: fromText(await realpath(source).catch(() => source)), target };
}
