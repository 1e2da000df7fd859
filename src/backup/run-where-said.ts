import { runHostCommand } from '../deployment/commands/run-host-command.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { labelNames } from '../deployment/names.ts';
import { runInContainer } from '../engine/containers/run-in-container.ts';
import type { Engine } from '../engine/engine.ts';
import { ContainerStateError } from '../support/errors.ts';
import type { CommandResult } from '../support/run-command.ts';

/** A command of the deployment file, and where it says that it runs. */
export interface SaidCommand {
  /** `undefined`: on the host. */
  service: string | undefined;
  command: readonly string[];
  /** Seconds. */
  timeout?: number | undefined;
}

/** Where the container of a service is looked for. */
export interface Surroundings {
  engine: Engine;
  deployment: Pick<Deployment, 'name'>;
}

/**
 * Runs a command on the host or in its service's container, and returns how it ended.
 * @throws {ContainerStateError} when the service does not run. @throws {FailedError} when there is no answer in time.
 */
export async function runWhereSaid(
  { service, command, timeout }: SaidCommand,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<CommandResult> {
  const options = { signal, ...(timeout !== undefined && { timeout }) };
  if (service === undefined) return runHostCommand(command, options);
  const container = await runningContainerOf(service, surroundings);
  return runInContainer(surroundings.engine, container, command, options);
}

/**
 * The name of the container in which a service runs, of whatever release it is.
 * @throws {ContainerStateError} when it does not run
 */
export async function runningContainerOf(
  service: string,
  { engine, deployment }: Surroundings,
): Promise<string> {
  const labels = { [labelNames.deployment]: deployment.name, [labelNames.service]: service };
  const containers = await engine.containers.list({ labels });
  const running = containers.find(({ state }) => state === 'running');
  if (running !== undefined) return running.name;
  const stuck = containers.find(({ state }) => state === 'paused' || state === 'restarting');
  const what = stuck === undefined ? 'it does not run' : `${stuck.name} is ${stuck.state}`;
  throw new ContainerStateError(`looking for the container of ${service}: ${what}`, {
    advice:
      stuck?.state === 'paused'
        ? `Let it go on: docker unpause ${stuck.name}`
        : `Start it: dockerctl start ${service}`,
    facts: { service },
  });
}
