import { overlap } from '../../support/path-containment.ts';
import type { Survey } from './plan.ts';
import type { SelectedSource } from './select.ts';

/** Running services that use what is replaced, or whose database is, and whatever needs those; in starting order. */
export function servicesToStop(selected: readonly SelectedSource[], { services, targets }: Survey): string[] {
  const stopping = new Set(
    services
      .filter(({ mounts }) => mounts.some(({ source }) => targets.some(({ path }) => overlap(source, path))))
      .map(({ name }) => name),
  );
  const databases = new Set(serversOf(selected));
  for (const { name, dependsOn } of services) {
    if (dependsOn.some((needed) => stopping.has(needed) || databases.has(needed))) stopping.add(name);
  }
  return services
    .filter(({ name, state }) => stopping.has(name) && state === 'running')
    .map(({ name }) => name);
}

/** What was stopped; the databases' services; and unless only some sources are restored, all that have no container. */
export function servicesToStart(
  selected: readonly SelectedSource[],
  stopped: readonly string[],
  { services, partial }: Survey,
): string[] {
  const wanted = new Set([...stopped, ...serversOf(selected)]);
  for (const { name, state } of services) if (!partial && state === 'missing') wanted.add(name);
  // Starting order: what a service needs comes before it, so it is seen after it here.
  for (const { name, dependsOn } of services.toReversed()) {
    if (wanted.has(name)) for (const needed of dependsOn) wanted.add(needed);
  }
  return services.filter(({ name }) => wanted.has(name)).map(({ name }) => name);
}

/** Services whose data is brought back through them. */
function serversOf(selected: readonly SelectedSource[]): string[] {
  return selected.flatMap(
    ({ database, rebuilt, command }) => database?.service ?? rebuilt?.service ?? command?.service ?? [],
  );
}
