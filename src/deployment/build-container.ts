import type { ContainerSpec, MountSpec, RestartPolicy } from '../support/container-spec.ts';
import type { Surroundings } from './build-service.ts';
import type { Service } from './deployment.ts';
import { type FileContext, hostPath } from './file-context.ts';
import type { Mount } from './schema/mounts.ts';
import { splitOnce } from './schema/scalars.ts';
import type { WrittenService } from './schema/service.ts';
import { nearest } from './suggest.ts';

/** Everything the engine needs to make the service's container, but its name and labels. */
export async function buildContainer(
  name: string,
  service: WrittenService,
  surroundings: Surroundings,
  context: FileContext,
): Promise<Service['container']> {
  const { mounts, tmpfs } = mountsOf(name, service, surroundings, context);
  return definedOnly({
    command: service.command ?? undefined,
    entrypoint: service.entrypoint ?? undefined,
    environment: await environmentOf(name, service, context),
    user: service.user,
    workingDir: service.working_dir,
    hostname: service.hostname,
    domainname: service.domainname,
    tty: service.tty,
    openStdin: service.stdin_open,
    stopSignal: service.stop_signal,
    stopTimeout: service.stop_grace_period === undefined ? undefined : Math.ceil(service.stop_grace_period),
    ...networkOf(name, service, surroundings, context),
    ports: service.ports,
    mounts: mounts.length > 0 ? mounts : undefined,
    tmpfs: tmpfs.length > 0 ? tmpfs : undefined,
    volumesFrom: service.volumes_from?.map((from) =>
      from.startsWith('container:') ? from.slice(10) : `service:${from}`,
    ),
    privileged: service.privileged,
    capAdd: service.cap_add,
    capDrop: service.cap_drop,
    devices: service.devices,
    extraHosts: extraHosts(service.extra_hosts),
    dns: service.dns,
    dnsSearch: service.dns_search,
    readOnly: service.read_only,
    init: service.init,
    pidMode: service.pid,
    ipcMode: service.ipc,
    securityOpt: service.security_opt,
    sysctls: service.sysctls,
    ulimits:
      service.ulimits && Object.entries(service.ulimits).map(([limit, range]) => ({ name: limit, ...range })),
    shmSize: service.shm_size,
    memory: service.mem_limit,
    cpus: service.cpus,
    restart: restartOf(name, service, context),
    logging: service.logging && {
      driver: service.logging.driver ?? 'json-file',
      ...definedOnly({ options: service.logging.options }),
    },
  }) as Service['container'];
}

/** The files first, then `environment`; a name without a value is passed through if it is set here. */
async function environmentOf(name: string, service: WrittenService, context: FileContext) {
  const environment: Record<string, string> = {};
  for (const { path, required } of service.env_file ?? []) {
    const values = await context.readEnvironmentFile(hostPath(path, context));
    if (values === undefined && required)
      throw context.problem(['services', name, 'env_file'], `there is no file ${path}`);
    Object.assign(environment, values);
  }
  for (const [variable, written] of Object.entries(service.environment ?? {})) {
    const value = written ?? context.variables(variable);
    if (value !== undefined) environment[variable] = value;
  }
  return Object.keys(environment).length > 0 ? environment : undefined;
}

function networkOf(name: string, service: WrittenService, { networks }: Surroundings, context: FileContext) {
  const { network_mode: mode } = service;
  if (mode !== undefined) {
    const conflict =
      service.networks !== undefined ? 'networks' : mode === 'bridge' ? undefined : publishes(service);
    if (conflict === undefined) return { networkMode: mode };
    throw context.problem(['services', name, conflict], `has no meaning with network_mode ${mode}`);
  }
  const joined = Object.entries(service.networks ?? { default: {} }).map(
    ([key, { aliases = [], ipv4_address }]) => {
      const network = networks.find((known) => known.key === key);
      if (network === undefined)
        throw undeclared('network', key, ['services', name, 'networks', key], networks, context);
      return {
        name: network.name,
        aliases: [name, ...aliases],
        ...(ipv4_address !== undefined && { address: ipv4_address }),
      };
    },
  );
  return { networkMode: joined[0]?.name ?? 'none', networks: joined };
}

function publishes(service: WrittenService): 'ports' | undefined {
  return service.ports !== undefined && service.ports.length > 0 ? 'ports' : undefined;
}

function mountsOf(name: string, service: WrittenService, { volumes }: Surroundings, context: FileContext) {
  const resolve = (mount: Exclude<Mount, { type: 'tmpfs' }>, index: number): MountSpec => {
    if (mount.type === 'bind') return { ...mount, source: hostPath(mount.source, context) };
    const volume = volumes.find(({ key }) => key === mount.source);
    if (mount.source === '') return mount;
    if (volume !== undefined) return { ...mount, source: volume.name };
    throw undeclared('volume', mount.source, ['services', name, 'volumes', index], volumes, context);
  };
  const mounts: MountSpec[] = [];
  const tmpfs: NonNullable<ContainerSpec['tmpfs']> = (service.tmpfs ?? []).map((written) => {
    const [target, options] = splitOnce(written, ':');
    return { target, ...(options !== undefined && { options }) };
  });
  for (const [index, mount] of (service.volumes ?? []).entries()) {
    if (mount.type !== 'tmpfs') mounts.push(resolve(mount, index));
    else tmpfs.push({ target: mount.target, ...(mount.options !== '' && { options: mount.options }) });
  }
  return { mounts, tmpfs };
}

function undeclared(
  what: 'volume' | 'network',
  key: string,
  path: (string | number)[],
  known: readonly { key: string }[],
  context: FileContext,
): Error {
  const meant = nearest(
    key,
    known.map((one) => one.key),
  );
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return context.problem(
    path,
    `there is no ${what} ${JSON.stringify(key)}${hint}`,
    what === 'volume'
      ? `declare it under volumes, or begin a host path with "/", "./" or "~/"`
      : 'declare it under networks',
  );
}

function extraHosts(written: WrittenService['extra_hosts']): string[] | undefined {
  if (written === undefined) return undefined;
  if (!Array.isArray(written)) return Object.entries(written).map(([host, address]) => `${host}:${address}`);
  return written.map((entry) => entry.replace('=', ':'));
}

function restartOf(
  name: string,
  { restart }: WrittenService,
  context: FileContext,
): RestartPolicy | undefined {
  if (restart === undefined) return undefined;
  const match = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(restart === false ? 'no' : restart);
  if (match === null || (match[2] !== undefined && match[1] !== 'on-failure')) {
    const allowed = 'must be no, always, unless-stopped, on-failure or on-failure:TIMES';
    throw context.problem(['services', name, 'restart'], allowed);
  }
  return {
    name: match[1] as RestartPolicy['name'],
    ...(match[2] !== undefined && { maximumRetries: Number(match[2]) }),
  };
}

function definedOnly<T extends object>(map: T): Partial<T> {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined)) as Partial<T>;
}
