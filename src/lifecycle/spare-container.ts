import type { Service } from '../deployment/deployment.ts';
import type { ImageDetails } from '../engine/engine.ts';
import type { ContainerSpec, MountSpec } from '../support/container-spec.ts';
import { NotFoundError } from '../support/errors.ts';
import { resolveReferences } from './container-spec.ts';
import type { Host } from './host.ts';

interface Program {
  entrypoint: readonly string[];
  command: readonly string[];
}

/** Where, if it can be written to, lie sockets and locks of the service that may run beside it. */
const runtimeDirectories = /^\/(var\/)?(run|lock)(\/|$)|^\/tmp(\/|$)/;

/**
 * A container of a service's image with its settings that can run beside the service's own: without network, and of
 * what it mounts it can write to `data` only.
 *
 * @param adapt what it runs, given what the service does
 */
export async function spareSpec(
  { deployment, engine }: Pick<Host, 'deployment' | 'engine'>,
  service: Service,
  { name, data }: { name: string; data: { source: string; target: string } },
  adapt: (program: Program) => Program,
): Promise<ContainerSpec> {
  const image = await engine.images.inspect(service.image);
  if (image === undefined) throw new NotFoundError(`there is no image ${service.image}`);
  const own = resolveReferences(deployment, service.container);
  const { entrypoint, command } = adapt(programOf(own, image));
  const {
    ports,
    networks,
    extraHosts,
    dns,
    dnsSearch,
    pidMode,
    ipcMode,
    volumesFrom = [],
    ...settings
  } = own;
  const sharing = await existing(volumesFrom, engine);
  return {
    ...settings,
    name,
    image: service.image,
    entrypoint: [...entrypoint],
    command: [...command],
    networkMode: 'none',
    restart: { name: 'no' },
    mounts: [...readOnlyMounts(own, data.target), { type: 'bind', ...data }],
    ...(sharing.length > 0 && { volumesFrom: sharing.map((name) => `${name}:ro`) }),
  };
}

/** An entrypoint of the service's own drops the image's command, as Docker has it. */
function programOf(own: Pick<ContainerSpec, 'entrypoint' | 'command'>, image: ImageDetails): Program {
  return {
    entrypoint: own.entrypoint ?? image.entrypoint,
    command: own.command ?? (own.entrypoint === undefined ? image.command : []),
  };
}

function readOnlyMounts({ mounts = [] }: Pick<ContainerSpec, 'mounts'>, data: string): MountSpec[] {
  return mounts.filter((mount) => keeps(mount, data)).map((mount) => ({ ...mount, readOnly: true }));
}

/** On a bare machine the containers that hold volumes are not there yet. */
async function existing(volumesFrom: readonly string[], { containers }: Host['engine']): Promise<string[]> {
  const names = volumesFrom.map((from) => from.replace(/:r[ow]$/, ''));
  const found = await Promise.all(names.map((name) => containers.inspect(name)));
  return names.filter((_, i) => found[i] !== undefined);
}

function keeps({ target, readOnly }: MountSpec, data: string): boolean {
  return target.replace(/\/+$/, '') !== data && (readOnly === true || !runtimeDirectories.test(target));
}
