import type Docker from 'dockerode';
import type { Client } from '../connection/client.ts';
import { exactKey, notFound } from '../names.ts';

/** Asks for something to be done to one container. `doing` completes "failed while …" with its name. */
export type OnContainer = <T>(
  doing: string,
  name: string,
  act: (container: Docker.Container, docker: Docker) => Promise<T>,
) => Promise<T>;

/** Throws what the client explains, and {NotFoundError} when there is no container of exactly that name or id. */
export function onContainer(client: Client): OnContainer {
  return (doing, name, act) =>
    client.ask(`${doing} ${name}`, async (docker) => act(await containerNamed(docker, name), docker));
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
