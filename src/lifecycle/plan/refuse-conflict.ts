import { ContainerStateError, FailedError } from '../../support/errors.ts';
import { isRunning, type ServiceState } from '../host-state.ts';

/**
 * Refuses to start a service whose container cannot be started: another release of it runs, somebody else took its
 * name, or it is paused.
 *
 * @throws FailedError or ContainerStateError
 */
export function refuseConflict(one: ServiceState): void {
  const { service, container, state } = one;
  const facts = { service: service.name, container };
  if (!isRunning(state)) refuseOtherRelease(one);
  if (state === 'foreign') {
    throw new FailedError(
      `cannot create ${container}: a container that dockerctl did not make has this name`,
      {
        advice: `Rename or remove it: docker rename ${container} NAME`,
        facts,
      },
    );
  }
  if (state === 'paused') {
    throw new ContainerStateError(`cannot start ${container}: it is paused`, {
      advice: `Let it go on (docker unpause ${container}), or dockerctl restart ${service.name}`,
      facts,
    });
  }
}

/** Two releases of one service would fight for the same data and ports. */
function refuseOtherRelease({ service, container, otherReleases }: ServiceState): void {
  const other = otherReleases.find(({ running }) => running);
  if (other === undefined) return;
  const option = other.release === '' ? '' : `-V ${other.release} `;
  throw new FailedError(`cannot start ${container}: ${other.container} of another release runs`, {
    advice: `Stop it first (dockerctl ${option}stop ${service.name})`,
    facts: { service: service.name, container, running: other.container },
  });
}
