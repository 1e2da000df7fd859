import * as z from 'zod';
import { closed } from './closed.ts';
import { flag, integer, size, text } from './scalars.ts';

/** A mount as written: host paths still relative, volumes still by their key in the file. */
export type Mount =
  | { type: 'bind'; source: string; target: string; readOnly: boolean; createHostPath: boolean }
  | { type: 'volume'; source: string; target: string; readOnly: boolean }
  | { type: 'tmpfs'; target: string; options: string };

const expected = 'must be SOURCE:TARGET or SOURCE:TARGET:ro, with an absolute TARGET';

const short = z.string().transform((written, context): Mount => {
  const mount = parseMount(written);
  if (typeof mount !== 'string') return mount;
  context.addIssue({ code: 'custom', message: mount });
  return z.NEVER;
});

const target = text.startsWith('/', 'must be an absolute path in the container');
const bind = closed(
  { create_host_path: flag.optional() },
  { propagation: 'mounts are private', selinux: 'relabel the host path yourself' },
);

/** Nothing can be said about a volume here; `docker compose config` writes the empty map. */
const volume = closed(
  {},
  { nocopy: 'a new volume gets what the image has there', subpath: 'mount the volume itself' },
);

const long = z.discriminatedUnion(
  'type',
  [
    closed({
      type: z.literal('bind'),
      source: text,
      target,
      read_only: flag.optional(),
      bind: bind.optional(),
    }).transform(({ source, target, read_only, bind }): Mount => {
      const createHostPath = bind?.create_host_path ?? false;
      return { type: 'bind', source, target, readOnly: read_only ?? false, createHostPath };
    }),
    closed({
      type: z.literal('volume'),
      source: text.optional(),
      target,
      read_only: flag.optional(),
      volume: volume.optional(),
    }).transform(({ source = '', target, read_only }): Mount => {
      return { type: 'volume', source, target, readOnly: read_only ?? false };
    }),
    closed({
      type: z.literal('tmpfs'),
      target,
      tmpfs: closed({ size: size.optional(), mode: integer(0, 0o7777).optional() }).optional(),
    }).transform(({ target, tmpfs }): Mount => {
      const options = [
        tmpfs?.size === undefined ? [] : `size=${tmpfs.size}`,
        tmpfs?.mode === undefined ? [] : `mode=${tmpfs.mode.toString(8)}`,
      ].flat();
      return { type: 'tmpfs', target, options: options.join(',') };
    }),
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? 'must be bind, volume or tmpfs' : undefined) },
);

export const mounts = z.array(z.union([short, long], expected));

/** `TARGET`, `SOURCE:TARGET` or `SOURCE:TARGET:ro`; an error message when it is none. */
export function parseMount(written: string): Mount | string {
  const parts = written.split(':');
  if (parts.length > 3 || parts.includes('')) return expected;
  const [source = '', target = '', mode = 'rw'] = parts.length === 1 ? ['', ...parts] : parts;
  if (!target.startsWith('/')) return expected;
  const readOnly = mode === 'ro';
  if (!readOnly && mode !== 'rw') return `has the mode ${mode}; ro and rw are supported`;
  if (/^[./~]/.test(source)) return { type: 'bind', source, target, readOnly, createHostPath: true };
  return { type: 'volume', source, target, readOnly };
}
