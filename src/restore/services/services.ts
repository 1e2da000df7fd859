import type { Readable } from 'node:stream';
import type { ContainerCommand } from '../../databases/databases.ts';
import type { Context } from '../../support/context.ts';

/** The containers of this host, as far as a restore has to do with them. */
export interface Services {
  /** Every service of the deployment, in the order they start. */
  list(): Promise<ServiceState[]>;
  /** Containers that are no service of this deployment, run, and mount something of the host. */
  strangers(): Promise<Stranger[]>;
  /** Stops these, what needs them first. */
  stop(names: readonly string[], context: Context): Promise<void>;
  /** Creates what is missing and starts these in order; with `ready`, each is ready before the next. */
  start(names: readonly string[], options: { ready: boolean }, context: Context): Promise<void>;
  /** Stops these and removes their containers; volumes stay. */
  destroy(names: readonly string[], context: Context): Promise<void>;
  /** Verifies and loads the images of a bundle. */
  loadImages(bundle: { name: string; stream: Readable }, context: Context): Promise<void>;
  /**
   * What is mounted, or will be, at a directory of a service's container: a volume of the engine, or a directory of the
   * host, one character per byte. `undefined`: nothing that lasts.
   */
  mountedAt(name: string, target: string): Promise<{ volume: string } | { directory: string } | undefined>;
  /** Creates a container beside that of a service. */
  createSpare(name: string, spare: SpareContainer): Promise<void>;
  /** Name or id of the container of a service that runs. */
  container(name: string): Promise<string>;
}

/** A service's image with its settings, but without network; of what it mounts, only `data` can be written. */
export interface SpareContainer {
  name: string;
  data: Mount;
  adapt(program: ContainerCommand): ContainerCommand;
}

export async function isRunning(service: string, services: Services): Promise<boolean> {
  return (await services.list()).some(({ name, state }) => name === service && state === 'running');
}

export interface ServiceState {
  name: string;
  image: string;
  /** The engine has it, it may be in the archives that the deployment file names, or it must come from elsewhere. */
  imageAt: 'engine' | 'archives' | 'nowhere';
  /** It runs, it was created and does not run, or it has no container. */
  state: 'running' | 'stopped' | 'missing';
  storage: boolean;
  dependsOn: string[];
  /** What its container mounts of the host, or would: absolute paths, one character per byte, links resolved. */
  mounts: Mount[];
}

/** A container that is no service of this release of the deployment. */
export interface Stranger {
  name: string;
  mounts: Mount[];
  /** Of which service, where it is another release of this deployment; `''`: of none. */
  own?: { service: string; release: string };
}

export interface Mount {
  /** On the host. */
  source: string;
  /** In the container. */
  target: string;
}
