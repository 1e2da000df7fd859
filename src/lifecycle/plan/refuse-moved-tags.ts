import { FailedError } from '../../support/errors.ts';
import { type HostState, isRunning, type ServiceState } from '../host-state.ts';

/**
 * Refuses to create or start a container from a tag that somebody has moved since its release was loaded: it would run
 * what nobody verified. What runs already is left alone.
 *
 * @throws FailedError
 */
export function refuseMovedTags({ movedTags }: HostState, wanted: readonly ServiceState[]): void {
  const starting = wanted.filter(
    ({ state, completes }) => !isRunning(state) && !(completes && state === 'exited'),
  );
  const moved = movedTags.find(({ reference }) =>
    starting.some(({ service }) => service.image === reference),
  );
  if (moved === undefined) return;
  const { reference, release, got, want } = moved;
  throw new FailedError(
    `cannot start from ${reference}: it is ${got}, and release ${release} was loaded with ${want}`,
    {
      advice: `Load the release again (dockerctl images load FILE --release ${release}), which moves the tag back`,
      facts: { reference, release, got, want },
    },
  );
}
