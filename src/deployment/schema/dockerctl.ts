import * as z from 'zod';
import { hookPoints } from '../deployment.ts';
import { backup } from './backup.ts';
import { closed } from './closed.ts';
import { argv, flag, integer, patience, text } from './scalars.ts';

const endpoint = z.string().transform((written, context) => {
  const match = /^(?:\[([0-9a-f:]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(written);
  const port = Number(match?.[3]);
  if (match !== null && port >= 1 && port <= 65535) return { host: match[1] ?? match[2] ?? '', port };
  context.addIssue({ code: 'custom', message: 'must be HOST:PORT, such as 127.0.0.1:5432' });
  return z.NEVER;
});

const statuses = z.union([integer(100, 599).transform(String), z.string()]).transform((written, context) => {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(written);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match !== null && from <= to) return { from, to };
  context.addIssue({ code: 'custom', message: 'must be an HTTP status or a range of them, such as 200-399' });
  return z.NEVER;
});

const url = z.string().regex(/^https?:\/\/\S+$/, 'must be an http:// or https:// address');

const readyCheck = z.union(
  [
    closed({ run: argv }).transform(({ run }) => ({ kind: 'run' as const, command: run })),
    closed({ tcp: endpoint }).transform(({ tcp }) => ({ kind: 'tcp' as const, ...tcp })),
    closed({ http: url, status: statuses.default({ from: 200, to: 399 }) }).transform(({ http, status }) => ({
      kind: 'http' as const,
      url: http,
      status,
    })),
  ],
  'must be one of {run: [PROGRAM, …]}, {tcp: HOST:PORT}, {http: URL, status: 200-399}',
);

const hook = z.union(
  [
    closed({ host: argv }).transform(({ host }) => ({ where: 'host' as const, command: host })),
    closed({ container: argv }).transform(({ container }) => ({
      where: 'container' as const,
      command: container,
    })),
  ],
  'must be {host: [PROGRAM, …]} or {container: [PROGRAM, …]}',
);

const hooks = closed(
  Object.fromEntries(hookPoints.map((point) => [point, z.array(hook).optional()])) as {
    [Point in (typeof hookPoints)[number]]: z.ZodOptional<z.ZodArray<typeof hook>>;
  },
);

/** `x-dockerctl` of a service. */
export const serviceSettings = closed({
  storage: flag.optional(),
  ready: z.array(readyCheck).optional(),
  'ready-interval': patience.optional(),
  'ready-timeout': patience.optional(),
  hooks: hooks.optional(),
});

/** `x-dockerctl` at the top of the file. The release is read ahead of everything else. */
export const deploymentSettings = closed({
  release: z.union([text, closed({ file: text, key: text })]).optional(),
  images: closed({ archives: z.array(text).optional(), signers: text.optional() }).optional(),
  backup: backup.optional(),
});
