import type { ContainerSpec, MountSpec, PortBinding } from '../../support/container-spec.ts';
import { definedOnly } from '../../support/defined-only.ts';
import { endpoint } from '../networks.ts';

/**
 * The body of `POST /containers/create` (Engine API 1.41). What the specification leaves out stays out, so that the
 * engine's and the image's own defaults hold.
 */
export function containerBody(spec: ContainerSpec): object {
  return definedOnly({
    Image: spec.image,
    Cmd: spec.command,
    Entrypoint: spec.entrypoint,
    Env: spec.environment && Object.entries(spec.environment).map(([key, value]) => `${key}=${value}`),
    Labels: spec.labels,
    User: spec.user,
    WorkingDir: spec.workingDir,
    Hostname: spec.hostname,
    Domainname: spec.domainname,
    Tty: spec.tty,
    OpenStdin: spec.openStdin,
    StdinOnce: spec.stdinOnce,
    StopSignal: spec.stopSignal,
    StopTimeout: spec.stopTimeout,
    ExposedPorts: spec.ports && Object.fromEntries(spec.ports.map((port) => [portKey(port), {}])),
    HostConfig: hostConfig(spec),
    NetworkingConfig: networkingConfig(spec),
  });
}

function hostConfig(spec: ContainerSpec): object {
  return definedOnly({
    NetworkMode: spec.networkMode ?? spec.networks?.[0]?.name,
    PortBindings: spec.ports && portBindings(spec.ports),
    Binds: spec.mounts?.filter(isBindString).map(bindString),
    Mounts: spec.mounts?.filter((mount) => !isBindString(mount)).map(mountBody),
    Tmpfs: spec.tmpfs && Object.fromEntries(spec.tmpfs.map(({ target, options }) => [target, options ?? ''])),
    VolumesFrom: spec.volumesFrom,
    ...isolation(spec),
    ...resources(spec),
    ExtraHosts: spec.extraHosts,
    Dns: spec.dns,
    DnsSearch: spec.dnsSearch,
    Init: spec.init,
    RestartPolicy: spec.restart && {
      Name: spec.restart.name,
      MaximumRetryCount: spec.restart.maximumRetries ?? 0,
    },
    LogConfig: spec.logging && { Type: spec.logging.driver, Config: spec.logging.options ?? {} },
  });
}

function isolation(spec: ContainerSpec): object {
  return {
    Privileged: spec.privileged,
    CapAdd: spec.capAdd,
    CapDrop: spec.capDrop,
    SecurityOpt: spec.securityOpt,
    ReadonlyRootfs: spec.readOnly,
    PidMode: spec.pidMode,
    IpcMode: spec.ipcMode,
    Sysctls: spec.sysctls,
  };
}

function resources(spec: ContainerSpec): object {
  return {
    Devices: spec.devices?.map(({ host, container, permissions }) => ({
      PathOnHost: host,
      PathInContainer: container,
      CgroupPermissions: permissions,
    })),
    Ulimits: spec.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ShmSize: spec.shmSize,
    Memory: spec.memory,
    NanoCpus: spec.cpus === undefined ? undefined : Math.round(spec.cpus * 1e9),
  };
}

function portBindings(ports: PortBinding[]): Record<string, object[]> {
  const bindings: Record<string, object[]> = {};
  for (const port of ports) {
    bindings[portKey(port)] ??= [];
    bindings[portKey(port)]?.push({
      HostIp: port.hostAddress ?? '',
      HostPort: port.host === undefined ? '' : String(port.host),
    });
  }
  return bindings;
}

function portKey({ container, protocol }: PortBinding): string {
  return `${container}/${protocol}`;
}

/** API 1.41 creates a missing host path for the old `host:container` form only, which a colon would break. */
function isBindString({ type, source, target, createHostPath }: MountSpec): boolean {
  return type === 'bind' && createHostPath === true && !source.includes(':') && !target.includes(':');
}

function bindString({ source, target, readOnly }: MountSpec): string {
  return `${source}:${target}${readOnly ? ':ro' : ''}`;
}

function mountBody({ type, source, target, readOnly = false }: MountSpec): object {
  return { Type: type, Source: source, Target: target, ReadOnly: readOnly };
}

function networkingConfig({ networks, networkMode }: ContainerSpec): object | undefined {
  const [first] = networks ?? [];
  if (first === undefined || (networkMode !== undefined && networkMode !== first.name)) return undefined;
  return { EndpointsConfig: { [first.name]: endpoint(first.aliases, first.address) } };
}
