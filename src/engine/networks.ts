import type Docker from 'dockerode';
import type { Client } from './connection/client.ts';
import { ifThere } from './connection/errors.ts';
import type { NetworkDetails, NetworkOptions, Networks } from './engine.ts';
import { labelFilter } from './labels.ts';
import { exactKey, notFound } from './names.ts';

/** The networks of the engine behind a client. */
export function networksOf(client: Client): Networks {
  return {
    list: ({ labels } = {}) =>
      client.ask('listing networks', async (docker) => {
        const networks = await docker.listNetworks({ filters: labelFilter(labels) });
        return networks.map(details);
      }),
    inspect: (name) => client.ask(`inspecting the network ${name}`, (docker) => inspect(docker, name)),
    create: (name, options = {}) =>
      client.ask(`creating the network ${name}`, async (docker) => {
        return (await docker.createNetwork(creation(name, options))).id;
      }),
    remove: (name) =>
      client.ask(`removing the network ${name}`, async (docker) => {
        await (await existingNetwork(docker, name)).remove();
      }),
    connect: (name, container, { aliases, address } = {}) =>
      client.ask(`connecting ${container} to the network ${name}`, async (docker) => {
        await (await existingNetwork(docker, name)).connect({
          Container: container,
          EndpointConfig: endpoint(aliases, address),
        });
      }),
    disconnect: (name, container) =>
      client.ask(`disconnecting ${container} from the network ${name}`, async (docker) => {
        await (await existingNetwork(docker, name)).disconnect({ Container: container });
      }),
  };
}

/** How a container is known on a network, in the engine's words. */
export function endpoint(
  aliases: string[] | undefined,
  address: string | undefined,
): Docker.EndpointSettings {
  return {
    ...(aliases && { Aliases: aliases }),
    ...(address !== undefined && { IPAMConfig: { IPv4Address: address } }),
  };
}

/** Exactly the one of this name or full id. */
export async function existingNetwork(docker: Docker, name: string): Promise<Docker.Network> {
  const network = await inspect(docker, name);
  if (network === undefined) throw notFound('network', name);
  return docker.getNetwork(network.id);
}

async function inspect(docker: Docker, name: string): Promise<NetworkDetails | undefined> {
  const key = await exactKey(name, async () => {
    const similar = await docker.listNetworks({ filters: { name: [name] } });
    return similar.find((network) => network.Name === name)?.Id;
  });
  const found = key === undefined ? undefined : await ifThere(docker.getNetwork(key).inspect());
  return found && details(found);
}

function creation(name: string, options: NetworkOptions): Docker.NetworkCreateOptions {
  const subnets = options.subnets?.map(({ subnet, gateway }) => ({
    Subnet: subnet,
    ...(gateway !== undefined && { Gateway: gateway }),
  }));
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: options.driver ?? 'bridge',
    Internal: options.internal ?? false,
    Labels: options.labels ?? {},
    ...(subnets && { IPAM: { Driver: 'default', Config: subnets } }),
  };
}

function details(network: Docker.NetworkInspectInfo): NetworkDetails {
  return {
    id: network.Id,
    name: network.Name,
    driver: network.Driver,
    internal: network.Internal,
    labels: network.Labels ?? {},
  };
}
