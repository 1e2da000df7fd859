import * as z from 'zod';
import { closed, extensible, type Refusals } from './closed.ts';
import { serviceSettings } from './dockerctl.ts';
import { mounts } from './mounts.ts';
import { ports } from './ports.ts';
import {
  argv,
  assignments,
  command,
  decimal,
  duration,
  flag,
  integer,
  labels,
  size,
  text,
  textOrList,
} from './scalars.ts';

const refusals: Refusals = {
  build: 'images arrive as archives; dockerctl images load brings them in',
  container_name: 'containers are named after deployment, release and service',
  deploy: 'it is for clusters; use mem_limit, cpus and restart',
  expose: 'services of one network reach each other without it',
  links: 'services of one network reach each other by name',
  profiles: 'every service of the file belongs to the deployment; put others into a file of their own',
  pull_policy: 'dockerctl never pulls',
  scale: 'every service has one container',
  secrets: 'mount the file with volumes',
  configs: 'mount the file with volumes',
  extends: 'use YAML anchors and merge keys',
};

const attachment = closed({ aliases: z.array(text).optional(), ipv4_address: text.optional() });

const networks = z.union([
  z.array(text).transform((names) => Object.fromEntries(names.map((name) => [name, {}]))),
  z.record(
    text,
    attachment.nullable().transform((settings) => settings ?? {}),
  ),
]) as z.ZodType<Record<string, { aliases?: string[]; ipv4_address?: string }>>;

const conditions = {
  service_started: 'started',
  service_healthy: 'ready',
  service_completed_successfully: 'completed',
} as const;

const dependency = closed({
  condition: z.enum(Object.keys(conditions) as [keyof typeof conditions]),
  required: z.literal(true).optional(),
});

const dependsOn = z.union([
  z.array(text).transform((names) => names.map((service) => ({ service, condition: 'started' as const }))),
  z.record(text, dependency).transform((map) => {
    return Object.entries(map).map(([service, { condition }]) => ({
      service,
      condition: conditions[condition],
    }));
  }),
]);

/** Compose's own check, which becomes a readiness check. */
const healthcheck = extensible({
  test: z.union([text.transform((line) => ['CMD-SHELL', line]), argv]).optional(),
  disable: flag.optional(),
  interval: duration.optional(),
  timeout: duration.optional(),
  retries: integer(1).optional(),
  start_period: duration.optional(),
});

const limit = z.union([
  integer(-1).transform((value) => ({ soft: value, hard: value })),
  closed({ soft: integer(-1), hard: integer(-1) }),
]);

const devicePath = text.startsWith('/', 'must be an absolute path');
const permissions = z.string().regex(/^[rwm]+$/, 'must be of the letters r, w and m');

const device = z.union([
  z.string().transform((written, context) => {
    const [host = '', container = host, allowed = 'rwm', ...more] = written.split(':');
    const paths = host.startsWith('/') && container.startsWith('/');
    if (paths && /^[rwm]+$/.test(allowed) && more.length === 0)
      return { host, container, permissions: allowed };
    context.addIssue({ code: 'custom', message: 'must be HOST, HOST:CONTAINER or HOST:CONTAINER:rwm' });
    return z.NEVER;
  }),
  closed({
    source: devicePath,
    target: devicePath.optional(),
    permissions: permissions.optional(),
  }).transform(({ source, target, permissions = 'rwm' }) => {
    return { host: source, container: target ?? source, permissions };
  }),
]);

const environmentFile = z.union([
  text.transform((path) => ({ path, required: true })),
  closed({ path: text, required: flag.default(true) }),
]);

/** One service of the file, in the words of the Compose Specification. */
export const service = extensible(
  {
    image: text,
    command: command.nullish(),
    entrypoint: command.nullish(),
    environment: assignments.optional(),
    env_file: z.union([environmentFile.transform((one) => [one]), z.array(environmentFile)]).optional(),
    labels: labels.optional(),
    volumes: mounts.optional(),
    volumes_from: z.array(text).optional(),
    tmpfs: textOrList.optional(),
    ports: ports.optional(),
    network_mode: text.optional(),
    networks: networks.optional(),
    depends_on: dependsOn.optional(),
    hostname: text.optional(),
    domainname: text.optional(),
    dns: textOrList.optional(),
    dns_search: textOrList.optional(),
    extra_hosts: z.union([z.array(text), z.record(text, text)]).optional(),
    user: text.optional(),
    working_dir: text.optional(),
    tty: flag.optional(),
    stdin_open: flag.optional(),
    stop_signal: text.optional(),
    stop_grace_period: duration.optional(),
    restart: z.union([text, z.literal(false)]).optional(),
    init: flag.optional(),
    read_only: flag.optional(),
    privileged: flag.optional(),
    cap_add: z.array(text).optional(),
    cap_drop: z.array(text).optional(),
    security_opt: z.array(text).optional(),
    devices: z.array(device).optional(),
    sysctls: labels.optional(),
    ulimits: z.record(text, limit).optional(),
    shm_size: size.optional(),
    mem_limit: size.optional(),
    cpus: decimal.optional(),
    pid: text.optional(),
    ipc: text.optional(),
    logging: extensible({ driver: text.optional(), options: labels.optional() }).optional(),
    healthcheck: healthcheck.optional(),
    'x-dockerctl': serviceSettings.optional(),
  },
  refusals,
);

export type WrittenService = z.output<typeof service>;
