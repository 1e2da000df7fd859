import { runHostCommand } from '../../deployment/commands/run-host-command.ts';
import type { Hook, HookPoint, Service } from '../../deployment/deployment.ts';
import { runInContainer } from '../../engine/containers/run-in-container.ts';
import type { Engine } from '../../engine/engine.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import { describeFailure } from '../../support/run-command.ts';

/**
 * Runs a service's hooks of one point, one after the other. On the host they are told in their environment what they
 * run for: DOCKERCTL_SERVICE and DOCKERCTL_CONTAINER.
 *
 * @throws FailedError at the first that does not exit with status 0
 */
export async function runHooks(
  service: Service,
  container: string,
  point: HookPoint,
  engine: Engine,
  signal: AbortSignal,
): Promise<void> {
  for (const hook of service.hooks[point] ?? []) {
    const result = await run(hook, service, container, engine, signal).catch((error) => {
      signal.throwIfAborted();
      throw failure(service, point, hook, messageOf(error), error);
    });
    if (result.status !== 0) throw failure(service, point, hook, describeFailure(result));
  }
}

function run(
  { where, command }: Hook,
  service: Service,
  container: string,
  engine: Engine,
  signal: AbortSignal,
) {
  const environment = { DOCKERCTL_SERVICE: service.name, DOCKERCTL_CONTAINER: container };
  if (where === 'container') return runInContainer(engine, container, command, { signal });
  return runHostCommand(command, { environment, signal, mayLeaveSome: true });
}

function failure(
  { name }: Service,
  point: HookPoint,
  { command }: Hook,
  reason: string,
  cause?: unknown,
): FailedError {
  return new FailedError(`running the ${point} hook ${command[0]} of ${name}: ${reason}`, {
    advice: `Run it by hand to see why: ${command.join(' ')}`,
    facts: { service: name, hook: point, command },
    cause,
  });
}
