import { randomBytes } from 'node:crypto';
import { containerName, labelNames } from '../deployment/names.ts';
import { unlessGone } from '../engine/unless-gone.ts';
import { NotFoundError } from '../support/errors.ts';
import { carryOut } from './carry-out/carry-out.ts';
import { resolveReferences } from './container-spec.ts';
import type { Host } from './host.ts';
import { observe } from './host-state.ts';
import { planStart } from './plan/start.ts';
import { findService } from './select.ts';

export interface RunOptions {
  command: readonly string[];
  tty: boolean;
  /** Open a stdin, which `attach` then forwards. */
  stdin: boolean;
  /** Remove the container when it has ended. */
  remove: boolean;
}

export interface RunningOnce {
  container: string;
  /** Starts it, and resolves with its exit status when it has ended; it is killed when the signal aborts. */
  start(): Promise<number>;
}

/**
 * Makes a container beside the service's own, for one command: same image, settings and volumes, no published ports, no
 * restarts, and a name of its own. It never counts as the service's container. What the service shares volumes or
 * namespaces with is created first.
 */
export async function prepareRun(name: string, host: Host, options: RunOptions): Promise<RunningOnce> {
  const { deployment, engine } = host;
  const service = findService(deployment, name);
  const state = await observe(host);
  if (!state.images.has(service.image)) {
    throw new NotFoundError(`the engine has no image ${service.image}`, {
      advice: 'Load it: dockerctl images load FILE',
      facts: { image: service.image },
    });
  }
  const { steps } = planStart(deployment, state, [service], { createOnly: true });
  await carryOut(
    { steps: steps.filter((step) => !('service' in step) || step.service !== service), warnings: [] },
    host,
  );
  const { ports, restart, ...settings } = resolveReferences(deployment, service.container);
  const container = `${containerName(deployment, service)}-run-${randomBytes(4).toString('hex')}`;
  const id = await engine.containers.create({
    ...settings,
    ...(options.command.length > 0 && { command: [...options.command] }),
    ...(settings.networks && { networks: settings.networks.map((network) => ({ name: network.name })) }),
    name: container,
    image: service.image,
    labels: { ...service.labels, [labelNames.oneOff]: `${deployment.name}/${service.name}` },
    tty: options.tty,
    openStdin: options.stdin,
    stdinOnce: options.stdin,
  });
  return { container, start: () => runToEnd(id, host, options.remove) };
}

async function runToEnd(id: string, { engine, context }: Host, remove: boolean): Promise<number> {
  try {
    await engine.containers.start(id);
    return await engine.containers.wait(id, { signal: context.signal });
  } finally {
    if (remove) await unlessGone(engine.containers.remove(id, { force: true, volumes: true }));
    else if (context.signal.aborted) await unlessGone(engine.containers.stop(id));
  }
}
