import type { Deployment, Service } from './deployment.ts';

/** How the engine is told whose a container, volume or network is; identity never depends on parts of names. */
export const labelNames = {
  deployment: 'io.dockerctl.deployment',
  service: 'io.dockerctl.service',
  release: 'io.dockerctl.release',
  configHash: 'io.dockerctl.config-hash',
  /** On a container of `dockerctl run` only, which has none of the others: whose it is. */
  oneOff: 'io.dockerctl.one-off',
} as const;

/** `<deployment>-<release>-<service>`: another one for every release, so that two can lie side by side. */
export function containerName(
  { name, release }: Pick<Deployment, 'name' | 'release'>,
  { name: service }: Pick<Service, 'name'>,
): string {
  return release === undefined ? `${name}-${service}` : `${name}-${release}-${service}`;
}
