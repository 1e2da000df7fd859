import type { WrittenService } from '../schema/service.ts';
import type { FileContext } from './file-context.ts';
import type { Surroundings } from './service.ts';
import { unknownName } from './unknown-name.ts';

/** How the container is reached and what it can reach. */
export function networkingOf(
  name: string,
  service: WrittenService,
  surroundings: Surroundings,
  context: FileContext,
) {
  refuseMeaningless(name, service, context);
  return {
    ...(service.network_mode === undefined
      ? networksOf(name, service, surroundings, context)
      : { networkMode: service.network_mode }),
    ports: service.ports,
    hostname: service.hostname,
    domainname: service.domainname,
    dns: service.dns,
    dnsSearch: service.dns_search,
    extraHosts: extraHosts(service.extra_hosts),
  };
}

/** A container without a network of its own can neither join others nor publish ports. */
function refuseMeaningless(name: string, service: WrittenService, context: FileContext): void {
  const { network_mode: mode, networks, ports = [] } = service;
  if (mode === undefined) return;
  const refuse = (key: string) => {
    return context.problem(['services', name, key], `has no meaning with network_mode ${mode}`);
  };
  if (networks !== undefined) throw refuse('networks');
  if (ports.length > 0 && mode !== 'bridge') throw refuse('ports');
}

function networksOf(name: string, service: WrittenService, { networks }: Surroundings, context: FileContext) {
  const keys = networks.map(({ key }) => key);
  const joined = Object.entries(service.networks ?? { default: {} }).map(
    ([key, { aliases = [], ipv4_address }]) => {
      const network = networks.find((known) => known.key === key);
      if (network === undefined) {
        throw unknownName('network', key, ['services', name, 'networks', key], keys, context);
      }
      return {
        name: network.name,
        aliases: [name, ...aliases],
        ...(ipv4_address !== undefined && { address: ipv4_address }),
      };
    },
  );
  return { networkMode: joined[0]?.name ?? 'none', networks: joined };
}

function extraHosts(written: WrittenService['extra_hosts']): string[] | undefined {
  if (written === undefined) return undefined;
  if (!Array.isArray(written)) return Object.entries(written).map(([host, address]) => `${host}:${address}`);
  return written.map((entry) => entry.replace('=', ':'));
}
