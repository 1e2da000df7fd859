import * as z from 'zod';
import type { PortBinding } from '../../support/container-spec.ts';
import { closed } from './closed.ts';
import { integer, text } from './scalars.ts';

const expected = 'must be a port such as 8080, "8080:80", "127.0.0.1:53:53/udp" or "6000-6002:6000-6002"';

const short = z.union([z.string(), z.int(expected).transform(String)]).transform((written, context) => {
  const bindings = parsePorts(written);
  if (bindings !== undefined) return bindings;
  context.addIssue({ code: 'custom', message: expected });
  return z.NEVER;
});

const long = closed(
  {
    target: integer(1, 65535),
    published: integer(1, 65535).optional(),
    host_ip: text.optional(),
    protocol: z.enum(['tcp', 'udp']).optional(),
    mode: z.enum(['host', 'ingress']).optional(),
  },
  { name: 'it has no effect here', app_protocol: 'it has no effect here' },
).transform(({ target, published, host_ip, protocol = 'tcp' }): PortBinding[] => [
  {
    container: target,
    protocol,
    ...(published !== undefined && { host: published }),
    ...(host_ip !== undefined && { hostAddress: host_ip }),
  },
]);

/** Published ports, short and long syntax mixed. */
export const ports = z.array(z.union([short, long], expected)).transform((bindings) => bindings.flat());

/**
 * `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]` with single ports or ranges of the same length; an IPv6 address stands in
 * brackets. `undefined` when it is none.
 */
export function parsePorts(written: string): PortBinding[] | undefined {
  const match =
    /^(?:(?:\[([0-9a-f:]+)\]|(\d+(?:\.\d+){3})):)?(?:([0-9-]*):)?([0-9-]+)(?:\/(tcp|udp))?$/i.exec(written);
  if (match === null) return undefined;
  const [, v6, v4, hostText, containerText = '', protocol = 'tcp'] = match;
  const hostAddress = v6 ?? v4;
  if (hostAddress !== undefined && hostText === undefined) return undefined;
  const container = parseRange(containerText);
  const host = hostText === undefined || hostText === '' ? [] : parseRange(hostText);
  if (container === undefined || host === undefined) return undefined;
  if (host.length > 0 && host.length !== container.length) return undefined;
  return container.map((port, index) => ({
    container: port,
    protocol: protocol.toLowerCase() as PortBinding['protocol'],
    ...(host[index] !== undefined && { host: host[index] }),
    ...(hostAddress !== undefined && { hostAddress }),
  }));
}

function parseRange(range: string): number[] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first < 1 || last < first || last > 65535) return undefined;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
