import type Docker from 'dockerode';
import { interruption, statusOf } from '../connection/errors.ts';
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
      on('removing', name, (container) => container.remove({ force, v: volumes })),
    rename: (name, newName) =>
      on(`renaming to ${newName}`, name, (container) => container.rename({ _query: { name: newName } })),
    update: (name, { restart }) =>
      on('updating', name, (container) =>
        container.update({
          RestartPolicy: { Name: restart.name, MaximumRetryCount: restart.maximumRetries ?? 0 },
        }),
      ),
    wait: (name, { signal } = {}) => on('waiting for', name, (container) => wait(container, name, signal)),
  };
}

/** 304: it is already as asked. */
async function unlessDone(request: Promise<unknown>): Promise<void> {
  await request.catch((error) => {
    if (statusOf(error) !== 304) throw error;
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
