import { glob } from 'node:fs/promises';
import type { Deployment, Service } from '../deployment/deployment.ts';
import { containerName, labelNames } from '../deployment/names.ts';
import type { ContainerState, ContainerSummary, Engine, ImageDetails } from '../engine/engine.ts';
import { openCatalog } from '../releases/catalog/catalog.ts';
import { type MovedTag, movedTags } from '../releases/catalog/moved-tags.ts';
import { completes } from './completes.ts';
import { configHash } from './container-spec.ts';
import type { Host } from './host.ts';

/** What the host has of a deployment: all that plans are made from. */
export interface HostState {
  /** By service, in the deployment's order. */
  services: ReadonlyMap<string, ServiceState>;
  /** Of the images that services name, those the engine has. */
  images: ReadonlySet<string>;
  /** Of those, the ones that are not what this release was loaded with. */
  movedTags: readonly MovedTag[];
  /** Engine names of the deployment's volumes and networks that exist. */
  volumes: ReadonlySet<string>;
  networks: ReadonlySet<string>;
  /** Files in which missing images may be found. */
  archives: readonly string[];
}

export interface ServiceState {
  service: Service;
  /** The name its container has, or would have. */
  container: string;
  /** `missing` when it was not created; `foreign` when something that is not ours goes by its name. */
  state: ContainerState | 'missing' | 'foreign';
  /** Whether it is done when it has ended with status 0. */
  completes: boolean;
  /** Of one that completes and has ended; else undefined. */
  exitCode: number | undefined;
  /** Whether the container was made from other settings or another image than it would be made from now. */
  outdated: 'settings' | 'image' | undefined;
  /** Containers of the same service under other releases. */
  otherReleases: { container: string; release: string; image: string; running: boolean }[];
}

/** Looks, and changes nothing. */
export async function observe({ deployment, engine, context }: Host): Promise<HostState> {
  const [containers, found, releases, volumes, networks, archives] = await Promise.all([
    engine.containers.list(),
    imagesOf(deployment, engine),
    openCatalog(context.stateDir, context.progress.warn).releases(),
    existing(deployment.volumes, (name) => engine.volumes.inspect(name)),
    existing(deployment.networks, (name) => engine.networks.inspect(name)),
    Array.fromAsync(glob(deployment.images.archives)),
  ]);
  const states = await Promise.all(
    deployment.services.map((service) => stateOf(deployment, service, containers, found, engine)),
  );
  return {
    services: new Map(states.map((state) => [state.service.name, state])),
    images: new Set(found.keys()),
    movedTags: movedTags(
      found,
      releases.find(({ release }) => release === deployment.release),
    ),
    volumes,
    networks,
    archives: archives.sort(),
  };
}

async function imagesOf({ services }: Deployment, engine: Engine): Promise<Map<string, ImageDetails>> {
  const references = [...new Set(services.map(({ image }) => image))];
  const found = await Promise.all(references.map((reference) => engine.images.inspect(reference)));
  return new Map(
    references.flatMap((reference, index): [string, ImageDetails][] => {
      const image = found[index];
      return image === undefined ? [] : [[reference, image]];
    }),
  );
}

async function existing(
  declared: readonly { name: string }[],
  inspect: (name: string) => Promise<unknown>,
): Promise<Set<string>> {
  const found = await Promise.all(declared.map(({ name }) => inspect(name)));
  return new Set(declared.map(({ name }) => name).filter((_, index) => found[index] !== undefined));
}

async function stateOf(
  deployment: Deployment,
  service: Service,
  containers: readonly ContainerSummary[],
  images: ReadonlyMap<string, ImageDetails>,
  engine: Engine,
): Promise<ServiceState> {
  const container = containerName(deployment, service);
  const ours = containers.filter((one) => belongsTo(one, deployment.name, service.name));
  const named = containers.find(({ name }) => name === container);
  const current = named !== undefined && ours.includes(named) ? named : undefined;
  const ends = completes(deployment, service);
  return {
    service,
    container,
    state: current?.state ?? (named === undefined ? 'missing' : 'foreign'),
    completes: ends,
    exitCode: ends ? await exitCodeOf(current, engine) : undefined,
    outdated: current && outdatedBy(current, service, images.get(service.image)?.id),
    otherReleases: ours
      .filter((one) => one !== current)
      .map(({ name, labels, state, image }) => ({
        container: name,
        release: labels[labelNames.release] ?? '',
        image,
        running: isRunning(state),
      })),
  };
}

async function exitCodeOf(
  container: ContainerSummary | undefined,
  engine: Engine,
): Promise<number | undefined> {
  if (container?.state !== 'exited') return undefined;
  return (await engine.containers.inspect(container.id))?.exitCode;
}

/** By labels, compared whole: never by parts of a name. */
function belongsTo({ labels }: ContainerSummary, deployment: string, service: string): boolean {
  return labels[labelNames.deployment] === deployment && labels[labelNames.service] === service;
}

function outdatedBy(
  { labels, imageId }: ContainerSummary,
  service: Service,
  wantedImage: string | undefined,
): ServiceState['outdated'] {
  if (labels[labelNames.configHash] !== configHash(service)) return 'settings';
  return wantedImage !== undefined && wantedImage !== imageId ? 'image' : undefined;
}

/** Whether something of it is alive that would have to be stopped. */
export function isRunning(state: ServiceState['state']): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused';
}
