import * as z from 'zod';
import { plainName } from '../../support/plain-name.ts';
import { extensible } from './closed.ts';
import { deploymentSettings } from './dockerctl.ts';
import { flag, labels, text } from './scalars.ts';
import { service } from './service.ts';

const named = {
  name: text.optional(),
  external: flag.optional(),
  driver: text.optional(),
  labels: labels.optional(),
};

const volume = extensible({ ...named, driver_opts: labels.optional() });

const subnet = extensible({ subnet: text, gateway: text.optional() });

const network = extensible(
  {
    ...named,
    internal: flag.optional(),
    ipam: extensible({ config: z.array(subnet).optional() }).optional(),
  },
  {
    attachable: 'it is for clusters',
    enable_ipv6: 'networks are IPv4',
    driver_opts: 'make the network yourself and say external',
  },
);

const projectName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]*$/,
    'must be small letters, digits, "-" and "_", beginning with a letter or digit',
  );

/** The whole deployment file. */
export const deploymentFile = extensible(
  {
    version: z.union([z.string(), z.number()]).optional(),
    name: projectName,
    services: z.record(text.regex(plainName, 'is no name for a service'), service).optional(),
    volumes: z.record(text, volume.nullable()).nullish(),
    networks: z.record(text, network.nullable()).nullish(),
    'x-dockerctl': deploymentSettings.optional(),
  },
  {
    include: 'use one file per deployment',
    secrets: 'mount the file with volumes',
    configs: 'mount the file with volumes',
  },
);

export type WrittenFile = z.output<typeof deploymentFile>;
