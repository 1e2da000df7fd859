import type Docker from 'dockerode';
import type { RestartPolicy } from '../../support/container-spec.ts';
import { askAgain } from '../ask-again.ts';
import { ifThere, interruption, statusOf } from '../connection/errors.ts';
import type { Containers } from '../engine.ts';
import type { OnContainer } from './on-container.ts';

type Changes = Pick<Containers, 'start' | 'stop' | 'kill' | 'remove' | 'rename' | 'update' | 'wait'>;

/** What becomes of a container that is there. */
export function changesOf(on: OnContainer): Changes {
  return {
    start: (name) => on('starting', name, (container) => unlessDone(container.start())),
    stop: (name, { timeout } = {}) =>
      on('stopping', name, (container) =>
        unlessDone(container.stop(timeout === undefined ? {} : { t: timeout })),
      ),
    kill: (name, signal = 'SIGKILL') => on('killing', name, (container) => container.kill({ signal })),
    remove: (name, { force = false, volumes = false } = {}) =>
      on('removing', name, async (container, docker) =>
        remove(await byId(container, docker), { force, v: volumes }),
      ),
    rename: (name, newName) =>
      on(`renaming to ${newName}`, name, (container) => container.rename({ _query: { name: newName } })),
    update: (name, { restart }) => on('updating', name, (container) => update(container, restart)),
    wait: (name, { signal } = {}) => on('waiting for', name, (container) => wait(container, name, signal)),
  };
}

/** 304: it is already as asked. */
async function unlessDone(request: Promise<unknown>): Promise<void> {
  await request.catch((error) => {
    if (statusOf(error) !== 304) throw error;
  });
}

/** By its name another one could be meant when it is asked again. */
async function byId(container: Docker.Container, docker: Docker): Promise<Docker.Container> {
  const found = await ifThere(container.inspect()).catch(() => undefined);
  return found === undefined ? container : docker.getContainer(found.Id);
}

/** Seconds in which a removal must have ended that others have begun. */
export const removalPatience = 30;

/** What others remove at the same moment is gone when they are done; what they or a reader are in the way of goes after. */
async function remove(container: Docker.Container, options: Docker.ContainerRemoveOptions): Promise<void> {
  const inTheWay = /already in progress|kill running container|unable to remove filesystem/;
  let isRemovedByOthers = false;
  const whilePassing = (error: unknown) => {
    const passes = inTheWay.test(String(error));
    isRemovedByOthers ||= passes;
    return passes;
  };
  try {
    await askAgain(() => container.remove(options), { whilePassing, seconds: removalPatience });
  } catch (error) {
    if (!isRemovedByOthers || statusOf(error) !== 404) throw error;
  }
}

/** One that ends while the engine tells its runtime is updated once it has ended. */
async function update(container: Docker.Container, restart: RestartPolicy): Promise<void> {
  const policy = { Name: restart.name, MaximumRetryCount: restart.maximumRetries ?? 0 };
  const ends = /cannot update a stopped container|container not running/;
  await askAgain(() => container.update({ RestartPolicy: policy }), {
    whilePassing: (error) => ends.test(String(error)),
    seconds: 5,
  });
}

async function wait(container: Docker.Container, name: string, signal?: AbortSignal): Promise<number> {
  try {
    const { StatusCode } = await container.wait(signal && { abortSignal: signal });
    return StatusCode;
  } catch (error) {
    if (signal?.aborted) throw interruption(`waiting for ${name}`, signal);
    throw error;
  }
}
