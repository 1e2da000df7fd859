import type { Service } from '../deployment.ts';
import type { FileContext } from './file-context.ts';

/**
 * Storage services first, then each service behind those it depends on; ties in the file's order. A cycle is an
 * error that shows it.
 */
export function orderServices(services: readonly Service[], context: FileContext): Service[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const ordered = new Set<Service>();
  const visit = (service: Service, trail: readonly string[]) => {
    if (ordered.has(service)) return;
    const begin = trail.indexOf(service.name);
    if (begin !== -1) throw cycle([...trail.slice(begin), service.name], context);
    for (const { service: name } of service.dependsOn) {
      const dependency = byName.get(name);
      if (dependency === undefined) continue;
      if (service.storage && !dependency.storage) throw storageWaits(service.name, name, context);
      visit(dependency, [...trail, service.name]);
    }
    ordered.add(service);
  };
  for (const service of services) if (service.storage) visit(service, []);
  for (const service of services) visit(service, []);
  return [...ordered];
}

function cycle(names: readonly string[], context: FileContext): Error {
  const path = ['services', names[0] ?? '', 'depends_on'];
  return context.problem(
    path,
    `services depend on each other in a circle: ${names.join(' → ')}`,
    'volumes_from and network_mode, pid and ipc of another service count as well; take one of them out',
  );
}

function storageWaits(storage: string, dependency: string, context: FileContext): Error {
  return context.problem(
    ['services', storage, 'depends_on'],
    `storage is made before every other service, so it cannot depend on ${dependency}`,
  );
}
