import type Docker from 'dockerode';
import type { ContainerDetails, ContainerState, ContainerSummary } from '../engine.ts';

/** As the engine lists it, in our words. */
export function containerSummary(container: Docker.ContainerInfo): ContainerSummary {
  return {
    id: container.Id,
    name: ownName(container.Names),
    image: container.Image,
    imageId: container.ImageID,
    state: container.State as ContainerState,
    labels: container.Labels ?? {},
  };
}

/** As the engine inspects it, in our words. */
export function containerDetails(container: Docker.ContainerInspectInfo): ContainerDetails {
  const { State: state, Config: config } = container;
  return {
    id: container.Id,
    name: ownName([container.Name]),
    image: config.Image,
    imageId: container.Image,
    state: state.Status as ContainerState,
    labels: config.Labels ?? {},
    exitCode: state.ExitCode,
    pid: state.Pid,
    startedAt: dateOf(state.StartedAt),
    tty: config.Tty,
    networkMode: container.HostConfig.NetworkMode ?? 'default',
    addresses: addressesOf(container.NetworkSettings),
    mounts: container.Mounts.map(mountOf),
    raw: container,
  };
}

/** Links of other containers come as further names with a second slash. */
function ownName(names: readonly string[] | null | undefined): string {
  const own = names?.find((name) => name.lastIndexOf('/') <= 0) ?? names?.[0] ?? '';
  return own.replace(/^\//, '');
}

/** The year 1 is the engine's way to say never. */
function dateOf(text: string): Date | undefined {
  return text.startsWith('0001-') ? undefined : new Date(text);
}

function addressesOf({
  Networks: networks,
}: Docker.ContainerInspectInfo['NetworkSettings']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(networks ?? {}).map(([name, network]) => [name, network.IPAddress ?? '']),
  );
}

function mountOf(mount: Docker.ContainerInspectInfo['Mounts'][number]): ContainerDetails['mounts'][number] {
  return {
    type: mount.Type ?? 'bind',
    ...(mount.Name && { name: mount.Name }),
    source: mount.Source,
    target: mount.Destination,
    readOnly: !mount.RW,
  };
}
