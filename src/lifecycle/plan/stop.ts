import type { Deployment, Service } from '../../deployment/deployment.ts';
import { type HostState, isRunning, type ServiceState } from '../host-state.ts';
import type { Plan, Step } from './plan.ts';
import { hookSteps, planStart } from './start.ts';

/** Stops these services in the reverse of the deployment's order; what does not run is left alone. */
export function planStop(state: HostState, selected: readonly Service[]): Plan {
  return {
    steps: statesOf(state, selected).flatMap(stopSteps),
    warnings: otherReleaseWarnings(state, selected),
  };
}

/** Stops and removes these services' containers, and the deployment's networks once no container is left. */
export function planDestroy(deployment: Deployment, state: HostState, selected: readonly Service[]): Plan {
  const remove = ({ service, container, state }: ServiceState): Step[] => {
    return exists(state) ? [{ do: 'remove', service, container }] : [];
  };
  const after = without(state, selected);
  const empty = [...after.services.values()].every(({ state, otherReleases }) => {
    return !exists(state) && otherReleases.length === 0;
  });
  const networks = deployment.networks.filter(({ name, external }) => !external && state.networks.has(name));
  const steps = statesOf(state, selected).flatMap((one) => [...stopSteps(one), ...remove(one)]);
  return {
    steps: [...steps, ...(empty ? networks.map((network): Step => ({ do: 'remove-network', network })) : [])],
    warnings: otherReleaseWarnings(state, selected),
  };
}

/** Stops, and starts again with what it depends on. */
export function planRestart(deployment: Deployment, state: HostState, selected: readonly Service[]): Plan {
  const stop = planStop(state, selected);
  return joined(stop, planStart(deployment, afterStop(state, selected), selected));
}

/** Destroys and starts anew: back to the image's state. */
export function planRevert(deployment: Deployment, state: HostState, selected: readonly Service[]): Plan {
  const steps = planDestroy(deployment, state, selected).steps.filter((step) => step.do !== 'remove-network');
  return joined({ steps, warnings: [] }, planStart(deployment, without(state, selected), selected));
}

function statesOf(state: HostState, selected: readonly Service[]): ServiceState[] {
  const chosen = new Set(selected);
  return [...state.services.values()].filter(({ service }) => chosen.has(service)).reverse();
}

function stopSteps(one: ServiceState): Step[] {
  if (!isRunning(one.state)) return [];
  const { service, container } = one;
  // Nothing can run in a paused container, and what restarts may not be there to run in.
  const before = one.state === 'running' ? hookSteps(one, 'pre-stop') : [];
  return [...before, { do: 'stop', service, container }, ...hookSteps(one, 'post-stop')];
}

function exists(state: ServiceState['state']): boolean {
  return state !== 'missing' && state !== 'foreign';
}

/** The host as it will be once these services are stopped; a job is done anew, but not storage. */
function afterStop(state: HostState, selected: readonly Service[]): HostState {
  return changed(state, selected, (one) => ({
    ...one,
    state: isRunning(one.state) ? 'exited' : one.state,
    exitCode: one.service.storage ? one.exitCode : undefined,
  }));
}

/** The host as it will be once these services' containers are gone. */
function without(state: HostState, selected: readonly Service[]): HostState {
  return changed(state, selected, (one) => ({
    ...one,
    state: exists(one.state) ? 'missing' : one.state,
    exitCode: undefined,
    outdated: undefined,
  }));
}

function changed(
  state: HostState,
  selected: readonly Service[],
  change: (one: ServiceState) => ServiceState,
): HostState {
  const chosen = new Set(selected);
  const services = [...state.services].map(([name, one]): [string, ServiceState] => {
    return [name, chosen.has(one.service) ? change(one) : one];
  });
  return { ...state, services: new Map(services) };
}

function joined(first: Plan, second: Plan): Plan {
  return { steps: [...first.steps, ...second.steps], warnings: [...first.warnings, ...second.warnings] };
}

/** Somebody who stops a service wants it stopped, whatever release it is of. */
function otherReleaseWarnings(state: HostState, selected: readonly Service[]): string[] {
  return statesOf(state, selected).flatMap(({ service, otherReleases }) => {
    return otherReleases
      .filter(({ running }) => running)
      .map(({ container, release }) => {
        const option = release === '' ? '' : `-V ${release} `;
        return `${container} of another release runs and is left alone: dockerctl ${option}stop ${service.name}`;
      });
  });
}
