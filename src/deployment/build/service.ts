import { definedOnly } from '../../support/defined-only.ts';
import type { Dependency, Network, ReadyCheck, ReadyRetry, Service, Volume } from '../deployment.ts';
import type { WrittenService } from '../schema/service.ts';
import { buildContainer } from './container.ts';
import type { FileContext } from './file-context.ts';
import { unknownName } from './unknown-name.ts';

/** The rest of the file, to which a service may refer. */
export interface Surroundings {
  written: Readonly<Record<string, WrittenService>>;
  volumes: readonly Volume[];
  networks: readonly Network[];
}

/** On the command line these mean many services. */
const reservedNames = ['all', 'storage', 'services'];

/** What a service that was written comes to. Throws the problem, with its place in the file, when that is nothing. */
export async function buildService(
  name: string,
  written: WrittenService,
  surroundings: Surroundings,
  context: FileContext,
): Promise<Service> {
  if (reservedNames.includes(name)) {
    throw context.problem(
      ['services', name],
      `${name} means several services on the command line: use another name`,
    );
  }
  return {
    name,
    image: written.image,
    storage: written['x-dockerctl']?.storage ?? false,
    dependsOn: dependenciesOf(name, written, surroundings, context),
    container: await buildContainer(name, written, surroundings, context),
    labels: ownLabels(name, written, context),
    ...readinessOf(name, written, context),
    hooks: hooksOf(name, written, context),
  };
}

/** Before it starts and after it has stopped, nothing can run in a container. */
function hooksOf(
  name: string,
  { 'x-dockerctl': settings }: WrittenService,
  context: FileContext,
): Service['hooks'] {
  const hooks = definedOnly(settings?.hooks ?? {});
  for (const [point, instead] of [
    ['pre-start', 'post-start'],
    ['post-stop', 'pre-stop'],
  ] as const) {
    if (!hooks[point]?.some(({ where }) => where === 'container')) continue;
    const path = ['services', name, 'x-dockerctl', 'hooks', point];
    throw context.problem(path, `cannot run in a container that does not run: use host, or ${instead}`);
  }
  return hooks;
}

function ownLabels(
  name: string,
  { labels = {} }: WrittenService,
  context: FileContext,
): Record<string, string> {
  const taken = Object.keys(labels).find((label) => label.startsWith('io.dockerctl.'));
  if (taken === undefined) return labels;
  throw context.problem(
    ['services', name, 'labels', taken],
    "labels that begin with io.dockerctl. are dockerctl's own",
  );
}

/** What the file says under `depends_on`, and what follows from shared volumes and namespaces. */
function dependenciesOf(
  name: string,
  service: WrittenService,
  { written }: Surroundings,
  context: FileContext,
): Dependency[] {
  const dependencies = new Map<string, Dependency>();
  const add = (target: string, condition: Dependency['condition'], key: string) => {
    const known = written[target];
    if (known === undefined)
      throw unknownName('service', target, ['services', name, key], Object.keys(written), context);
    const completes = known['x-dockerctl']?.storage === true;
    const stated = dependencies.get(target)?.condition;
    dependencies.set(target, { service: target, condition: completes ? 'completed' : (stated ?? condition) });
  };
  for (const { service: target, condition } of service.depends_on ?? []) add(target, condition, 'depends_on');
  for (const { service: target, key } of namespaceServices(service)) add(target, 'started', key);
  return [...dependencies.values()];
}

function namespaceServices(service: WrittenService): { service: string; key: string }[] {
  const modes = (['network_mode', 'pid', 'ipc'] as const).flatMap((key) => {
    const target = /^service:(.*)$/.exec(service[key] ?? '')?.[1];
    return target === undefined ? [] : [{ service: target, key }];
  });
  const volumes = (service.volumes_from ?? []).flatMap((from) => {
    return from.startsWith('container:') ? [] : [{ service: from.split(':')[0] ?? '', key: 'volumes_from' }];
  });
  return [...modes, ...volumes];
}

const defaultRetry: ReadyRetry = { interval: 1, attempt: 30, timeout: 300 };

/** Compose's health check and our own checks together. */
function readinessOf(
  name: string,
  { healthcheck, 'x-dockerctl': settings }: WrittenService,
  context: FileContext,
): { ready: ReadyCheck[]; readyRetry: ReadyRetry } {
  const { test, disable, interval, timeout, retries, start_period: startPeriod } = healthcheck ?? {};
  if (healthcheck !== undefined && disable !== true && test === undefined) {
    throw context.problem(
      ['services', name, 'healthcheck'],
      'must have a test: that of the image is not used',
    );
  }
  const pause = settings?.['ready-interval'] ?? interval ?? defaultRetry.interval;
  const patience =
    retries === undefined && startPeriod === undefined
      ? undefined
      : (startPeriod ?? 0) + pause * (retries ?? 3);
  return {
    ready: [...healthTest(disable === true ? undefined : test), ...(settings?.ready ?? [])],
    readyRetry: {
      interval: pause,
      attempt: timeout ?? defaultRetry.attempt,
      timeout: settings?.['ready-timeout'] ?? patience ?? defaultRetry.timeout,
    },
  };
}

function healthTest(test: readonly string[] | undefined): ReadyCheck[] {
  const [kind = 'NONE', ...rest] = test ?? [];
  if (kind === 'NONE') return [];
  if (kind === 'CMD') return [{ kind: 'run', command: rest }];
  if (kind === 'CMD-SHELL') return [{ kind: 'run', command: ['/bin/sh', '-c', ...rest] }];
  return [{ kind: 'run', command: [kind, ...rest] }];
}
