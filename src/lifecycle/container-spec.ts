import { createHash } from 'node:crypto';
import type { Deployment, Service } from '../deployment/deployment.ts';
import { containerName, labelNames } from '../deployment/names.ts';
import type { ContainerSpec } from '../support/container-spec.ts';

/**
 * What the engine is asked to make of a service: named, labelled, references to other services turned into containers.
 */
export function containerSpecOf(deployment: Deployment, service: Service): ContainerSpec {
  return {
    ...resolveReferences(deployment, service.container),
    name: containerName(deployment, service),
    image: service.image,
    labels: {
      ...service.labels,
      [labelNames.deployment]: deployment.name,
      [labelNames.service]: service.name,
      [labelNames.release]: deployment.release ?? '',
      [labelNames.configHash]: configHash(service),
    },
  };
}

/** Changes when the container would be made differently, whatever the order in which the file says it. */
export function configHash({ image, container, labels }: Service): string {
  const canonical = JSON.stringify({ image, container, labels }, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16);
}

/** `service:NAME` becomes the name of that service's container. */
export function resolveReferences(
  deployment: Deployment,
  container: Service['container'],
): Service['container'] {
  const nameOf = (service: string) => containerName(deployment, { name: service });
  const mode = (written: string) =>
    written.replace(/^service:(.*)$/, (_, name: string) => `container:${nameOf(name)}`);
  const { networkMode, pidMode, ipcMode, volumesFrom } = container;
  return {
    ...container,
    ...(networkMode !== undefined && { networkMode: mode(networkMode) }),
    ...(pidMode !== undefined && { pidMode: mode(pidMode) }),
    ...(ipcMode !== undefined && { ipcMode: mode(ipcMode) }),
    ...(volumesFrom !== undefined && {
      volumesFrom: volumesFrom.map((from) =>
        from.replace(/^service:([^:]*)/, (_, name: string) => nameOf(name)),
      ),
    }),
  };
}
