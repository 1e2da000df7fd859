import type { Deployment } from '../deployment/deployment.ts';
import { containerName, labelNames } from '../deployment/names.ts';
import type { ContainerDetails, Engine } from '../engine/engine.ts';
import { ContainerStateError, NotFoundError } from '../support/errors.ts';
import { findService } from './select.ts';

/**
 * The container of the service with this short name.
 *
 * @throws NotFoundError when there is no such service, or no container of it
 */
export async function containerOf(
  deployment: Deployment,
  engine: Engine,
  name: string,
): Promise<ContainerDetails> {
  const service = findService(deployment, name);
  const container = containerName(deployment, service);
  const found = await engine.containers.inspect(container);
  if (found !== undefined && found.labels[labelNames.service] === name) return found;
  throw new NotFoundError(`${name} has no container: ${container} is not created`, {
    advice: `Create and start it: dockerctl start ${name}`,
    facts: { service: name, container },
  });
}

/** The same, when it must be running. Throws `ContainerStateError` otherwise. */
export async function runningContainerOf(
  deployment: Deployment,
  engine: Engine,
  name: string,
): Promise<ContainerDetails> {
  const found = await containerOf(deployment, engine, name);
  if (found.state === 'running') return found;
  throw new ContainerStateError(`${name} does not run: ${found.name} is ${found.state}`, {
    advice: `dockerctl start ${name}`,
    facts: { service: name, container: found.name, state: found.state },
  });
}
