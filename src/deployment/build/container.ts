import type { RestartPolicy } from '../../support/container-spec.ts';
import { definedOnly } from '../../support/defined-only.ts';
import type { Service } from '../deployment.ts';
import type { WrittenService } from '../schema/service.ts';
import { type FileContext, hostPath } from './file-context.ts';
import { filesOf } from './files.ts';
import { networkingOf } from './networking.ts';
import type { Surroundings } from './service.ts';

/** Everything the engine needs to make the service's container, but its name and labels. */
export async function buildContainer(
  name: string,
  service: WrittenService,
  surroundings: Surroundings,
  context: FileContext,
): Promise<Service['container']> {
  return definedOnly({
    ...processOf(service),
    environment: await environmentOf(name, service, context),
    ...filesOf(name, service, surroundings, context),
    ...networkingOf(name, service, surroundings, context),
    ...rightsOf(service),
    ...limitsOf(service),
    restart: restartOf(name, service, context),
  }) as Service['container'];
}

function processOf(service: WrittenService) {
  const { stop_grace_period: grace, logging } = service;
  return {
    command: service.command ?? undefined,
    entrypoint: service.entrypoint ?? undefined,
    user: service.user,
    workingDir: service.working_dir,
    tty: service.tty,
    openStdin: service.stdin_open,
    init: service.init,
    stopSignal: service.stop_signal,
    stopTimeout: grace === undefined ? undefined : Math.ceil(grace),
    logging: logging && {
      driver: logging.driver ?? 'json-file',
      ...definedOnly({ options: logging.options }),
    },
  };
}

function rightsOf(service: WrittenService) {
  return {
    privileged: service.privileged,
    capAdd: service.cap_add,
    capDrop: service.cap_drop,
    securityOpt: service.security_opt,
    devices: service.devices,
    pidMode: service.pid,
    ipcMode: service.ipc,
    sysctls: service.sysctls,
  };
}

function limitsOf({ ulimits, shm_size: shmSize, mem_limit: memory, cpus }: WrittenService) {
  return {
    ulimits: ulimits && Object.entries(ulimits).map(([name, range]) => ({ name, ...range })),
    shmSize,
    memory,
    cpus,
  };
}

/** The files first, then `environment`; a name without a value is passed through if it is set here. */
async function environmentOf(name: string, service: WrittenService, context: FileContext) {
  const environment: Record<string, string> = {};
  for (const { path, required } of service.env_file ?? []) {
    const values = await context.readEnvironmentFile(hostPath(path, context));
    if (values === undefined && required) {
      throw context.problem(['services', name, 'env_file'], `there is no file ${path}`);
    }
    Object.assign(environment, values);
  }
  for (const [variable, written] of Object.entries(service.environment ?? {})) {
    const value = written ?? context.variables(variable);
    if (value !== undefined) environment[variable] = value;
  }
  return Object.keys(environment).length > 0 ? environment : undefined;
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
