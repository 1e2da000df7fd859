import type { Deployment, Service } from '../deployment/deployment.ts';
import { nearest } from '../deployment/suggest.ts';
import { NotFoundError, UsageError } from '../support/errors.ts';

/**
 * The services that names on the command line mean, in the deployment's order: short names, `all`, `storage`, or
 * `services` for all that are not storage.
 *
 * @throws UsageError when nothing is named
 * @throws NotFoundError naming what there is
 */
export function selectServices({ services, file }: Deployment, names: readonly string[]): Service[] {
  if (names.length === 0) {
    throw new UsageError('no service is named', { advice: `Name services, or all: ${listOf(services)}` });
  }
  const known = new Map(services.map((service) => [service.name, service]));
  const selected = new Set<Service>();
  for (const name of names) {
    const meant = known.get(name);
    const group = meant === undefined ? groupOf(name, services) : [meant];
    if (group === undefined) throw noSuchService(name, services, file);
    for (const service of group) selected.add(service);
  }
  return services.filter((service) => selected.has(service));
}

/** The one service of this name. */
export function findService({ services, file }: Deployment, name: string): Service {
  const found = services.find((service) => service.name === name);
  if (found !== undefined) return found;
  if (groupOf(name, services) === undefined) throw noSuchService(name, services, file);
  throw new UsageError(`${name} stands for several services, and only one can be named here`, {
    advice: `Name one of ${listOf(services)}`,
  });
}

function groupOf(name: string, services: readonly Service[]): readonly Service[] | undefined {
  if (name === 'all') return services;
  if (name === 'storage') return services.filter(({ storage }) => storage);
  return name === 'services' ? services.filter(({ storage }) => !storage) : undefined;
}

function noSuchService(name: string, services: readonly Service[], file: string): NotFoundError {
  const meant = nearest(
    name,
    services.map((service) => service.name),
  );
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return new NotFoundError(`there is no service ${JSON.stringify(name)} in ${file}${hint}`, {
    advice: `There are ${listOf(services)}`,
    facts: { service: name, services: services.map((service) => service.name) },
  });
}

function listOf(services: readonly Service[]): string {
  return services.length === 0 ? 'no services' : services.map(({ name }) => name).join(', ');
}
