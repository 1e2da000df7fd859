import type Docker from 'dockerode';
import type { ContainerSpec } from '../../support/container-spec.ts';
import { askAgain } from '../ask-again.ts';
import type { Client } from '../connection/client.ts';
import { ifThere } from '../connection/errors.ts';
import type { ContainerDetails, Containers } from '../engine.ts';
import { labelFilter } from '../labels.ts';
import { endpoint, existingNetwork } from '../networks.ts';
import { containerBody } from './body.ts';
import { changesOf, removalPatience } from './changes.ts';
import { containerDetails, containerSummary } from './details.ts';
import { isGoing, keyOf, onContainer } from './on-container.ts';
import { streamsOf } from './streams.ts';

/** The containers of the engine behind a client. */
export function containersOf(client: Client): Containers {
  const on = onContainer(client);
  return {
    list: ({ labels } = {}) =>
      client.ask('listing containers', async (docker) => {
        const containers = await docker.listContainers({ all: true, filters: labelFilter(labels) });
        return containers.map(containerSummary);
      }),
    inspect: (name) => client.ask(`inspecting ${name}`, (docker) => inspect(docker, name)),
    create: (spec) => client.ask(`creating ${spec.name}`, (docker) => create(docker, spec)),
    ...changesOf(on),
    ...streamsOf(client, on),
  };
}

async function inspect(docker: Docker, name: string): Promise<ContainerDetails | undefined> {
  const key = await keyOf(docker, name);
  const found = key === undefined ? undefined : await ifThere(docker.getContainer(key).inspect());
  return found && containerDetails(found);
}

/**
 * An engine before 25 connects a new container to one network only; the rest follow before it ever starts. That they
 * exist is checked first, for the engine would say so no sooner than at the start.
 */
async function create(docker: Docker, spec: ContainerSpec): Promise<string> {
  const [, ...further] = await Promise.all(
    (spec.networks ?? []).map(async (use) => ({ ...use, network: await existingNetwork(docker, use.name) })),
  );
  // Without the explicit pair dockerode would write the whole body, secrets included, into the address too.
  const request = { _query: { name: spec.name }, _body: containerBody(spec) };
  const container = await askAgain(
    () => docker.createContainer(request as unknown as Docker.ContainerCreateOptions),
    { whilePassing: (error) => isNameOfGoing(error, docker, spec.name), seconds: removalPatience },
  );
  try {
    for (const { network, aliases, address } of further) {
      await network.connect({ Container: container.id, EndpointConfig: endpoint(aliases, address) });
    }
  } catch (error) {
    await container.remove({ force: true, v: true });
    throw error;
  }
  return container.id;
}

/** A container has its name until it is removed altogether. */
async function isNameOfGoing(error: unknown, docker: Docker, name: string): Promise<boolean> {
  return /is already in use by container/.test(String(error)) && isGoing(docker.getContainer(name));
}
