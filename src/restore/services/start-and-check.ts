import type { Context } from '../../support/context.ts';
import { ChecksFailedError, codeOf, DockerctlError, messageOf } from '../../support/errors.ts';
import type { Services } from './services.ts';

/**
 * Starts services, each ready before the next.
 * @throws {ChecksFailedError} when one does not start or become ready
 */
export async function startAndCheck(
  names: readonly string[],
  services: Services,
  context: Context,
): Promise<void> {
  try {
    await services.start(names, { ready: true }, context);
  } catch (cause) {
    context.signal.throwIfAborted();
    if (codeOf(cause) !== undefined || !(cause instanceof DockerctlError)) throw cause;
    throw new ChecksFailedError(`starting services with the restored data: ${messageOf(cause)}`, {
      cause,
      facts: cause.facts,
      ...(cause.advice !== undefined && { advice: cause.advice }),
    });
  }
}
