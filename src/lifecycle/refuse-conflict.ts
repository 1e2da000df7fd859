import type { Deployment } from '../deployment/deployment.ts';
import { ContainerStateError, FailedError } from '../support/errors.ts';
import { isRunning, type ServiceState } from './host-state.ts';

/**
 * Refuses to start a service whose container cannot be started: another release of it runs, somebody else took its name, or it is
 * paused.
 *
 * @throws FailedError or ContainerStateError
 */
export function refuseConflict(deployment: Deployment, one: ServiceState): void {
  const { service, container, state } = one;
  const facts = { service: service.name, container };
  if (!isRunning(state)) refuseOtherRelease(deployment, one);
  if (state === 'foreign') {
    throw new FailedError(
      `cannot create ${container}: a container that dockerctl did not make has this name`,
      {
        advice: `rename or remove it: docker rename ${container} NAME`,
        facts,
      },
    );
  }
  if (state === 'paused') {
    throw new ContainerStateError(`cannot start ${container}: it is paused`, {
      advice: `let it go on (docker unpause ${container}), or dockerctl restart ${service.name}`,
      facts,
    });
  }
}

/** Two releases of one service would fight for the same data and ports. */
function refuseOtherRelease(
  deployment: Deployment,
  { service, container, otherReleases }: ServiceState,
): void {
  const other = otherReleases.find(({ running }) => running);
  if (other === undefined) return;
  const option = other.release === '' ? '' : `-V ${other.release} `;
  throw new FailedError(`cannot start ${container}: ${other.container} of another release runs`, {
    advice: `stop it first (dockerctl ${option}stop ${service.name}), or move everything: dockerctl upgrade ${deployment.release ?? 'RELEASE'}`,
    facts: { service: service.name, container, running: other.container },
  });
}
