import { setTimeout } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Client } from '../connection/client.ts';
import { ifThere, statusOf } from '../connection/errors.ts';
import { exactKey, notFound } from '../names.ts';

/** Asks for something to be done to one container. `doing` completes "failed while …" with its name. */
export type OnContainer = <T>(
  doing: string,
  name: string,
  act: (container: Docker.Container, docker: Docker) => Promise<T>,
) => Promise<T>;

/**
 * Throws what the client explains, and {NotFoundError} when there is no container of exactly that name or id, or none any
 * more: an engine tells in many ways that it is removing what it was asked about.
 */
export function onContainer(client: Client): OnContainer {
  return (doing, name, act) =>
    client.ask(`${doing} ${name}`, async (docker) => {
      const container = await containerNamed(docker, name);
      try {
        return await act(container, docker);
      } catch (error) {
        if (statusOf(error) !== undefined && (await isGoing(container))) throw notFound('container', name);
        throw error;
      }
    });
}

/**
 * Whether a container is gone, or is being removed. At the end of that it is dead for a moment; one that stays so is
 * there: its removal failed.
 */
export async function isGoing(container: Docker.Container): Promise<boolean> {
  let state = await stateOf(container);
  for (let looks = 0; state === 'dead' && looks < 5; looks += 1) {
    await setTimeout(100);
    state = await stateOf(container);
  }
  return state === 'gone' || state === 'removing';
}

/** `undefined` where the engine does not tell: what went wrong before is of more interest. */
async function stateOf(container: Docker.Container): Promise<string | undefined> {
  try {
    return (await ifThere(container.inspect()))?.State.Status ?? 'gone';
  } catch {
    return undefined;
  }
}

async function containerNamed(docker: Docker, name: string): Promise<Docker.Container> {
  const key = await keyOf(docker, name);
  if (key === undefined) throw notFound('container', name);
  return docker.getContainer(key);
}

/** What the engine takes for exactly this container; `undefined` when there cannot be one. */
export function keyOf(docker: Docker, name: string): Promise<string | undefined> {
  return exactKey(name, async () => {
    const similar = await docker.listContainers({ all: true, filters: { name: [name] } });
    return similar.find(({ Names: names }) => names.includes(`/${name}`))?.Id;
  });
}
