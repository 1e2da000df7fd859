import { carryOut } from './carry-out/carry-out.ts';
import type { Host } from './host.ts';
import { isRunning, observe } from './host-state.ts';
import { planStart, type StartOptions } from './plan/start.ts';
import { planDestroy, planStop } from './plan/stop.ts';
import { selectServices } from './select.ts';

/**
 * Stops services (short names, or groups such as `all`) in the reverse of their order. Returns the names of those
 * that ran, for `startServices` to bring back.
 *
 * @throws ContainerStateError naming how each stands, when one does not stop or a hook fails
 */
export async function stopServices(names: readonly string[], host: Host): Promise<string[]> {
  const selected = selectServices(host.deployment, names);
  const state = await observe(host);
  await carryOut(planStop(state, selected), host);
  return selected
    .map(({ name }) => name)
    .filter((name) => isRunning(state.services.get(name)?.state ?? 'missing'));
}

/**
 * Starts services and what they depend on in the deployment's order, each ready before the next, creating what is
 * missing.
 *
 * @throws what `planStart` refuses, before anything is touched
 * @throws ContainerStateError naming how each stands, when one does not become ready
 */
export async function startServices(
  names: readonly string[],
  host: Host,
  options: StartOptions = {},
): Promise<void> {
  const { deployment } = host;
  const selected = selectServices(deployment, names);
  await carryOut(planStart(deployment, await observe(host), selected, options), host);
}

/**
 * Stops services and removes their containers with their anonymous volumes; named volumes stay.
 *
 * @throws ContainerStateError naming how each stands, when one cannot be stopped or removed
 */
export async function destroyServices(names: readonly string[], host: Host): Promise<void> {
  const { deployment } = host;
  const selected = selectServices(deployment, names);
  await carryOut(planDestroy(deployment, await observe(host), selected), host);
}
