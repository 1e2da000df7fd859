import * as z from 'zod';
import { decodeAgeKey, isPrivateAgeKey, nameWrongRecipient } from '../../support/age-key.ts';
import { plainName } from '../../support/plain-name.ts';
import { tagsIn } from '../../support/tags.ts';
import { databaseEngines } from '../backup-settings.ts';
import { closed } from './closed.ts';
import { argv, calendarSpan, flag, integer, patience, size, text } from './scalars.ts';

const keep = closed({
  last: integer(1).optional(),
  hourly: integer(1).optional(),
  daily: integer(1).optional(),
  weekly: integer(1).optional(),
  monthly: integer(1).optional(),
  yearly: integer(1).optional(),
  within: calendarSpan.optional(),
  tags: z.array(text.refine(namesTags, 'has a comma without a word beside it')).optional(),
});

const pattern = text.refine(isRegularExpression, 'must be a regular expression');

const busyCheck = closed({
  name: text,
  service: text.optional(),
  run: argv,
  matches: pattern,
  timeout: patience.optional(),
});

const every = { title: text.optional(), full: flag.optional() };
const filter = {
  include: z.array(text).optional(),
  exclude: z.array(text).optional(),
  'one-file-system': flag.optional(),
  'exclude-caches': flag.optional(),
};

const kinds = {
  paths: closed({ ...every, paths: z.array(text).min(1, 'must name a path'), ...filter }),
  volume: closed({ ...every, volume: text, ...filter }),
  dump: closed({
    ...every,
    dump: z.enum(databaseEngines),
    service: text.optional(),
    user: text.optional(),
    databases: z.array(text).min(1, 'must name a database').optional(),
    files: z.array(text).optional(),
    timeout: patience.optional(),
  }),
  run: closed({ ...every, run: argv, restore: argv, service: text.optional(), timeout: patience.optional() }),
  images: closed({ ...every, images: z.literal(true, 'must be true') }),
};

/** Of files: what says what is left out. */
export const sourceWithFilter = z.union([kinds.paths, kinds.volume]);

/** The key that is there decides what kind of source it is, and so which others are allowed. */
const sourceKinds = Object.keys(kinds) as (keyof typeof kinds)[];

const source = z.union(
  [kinds.paths, kinds.volume, kinds.dump, kinds.run, kinds.images],
  `must have one of the keys ${sourceKinds.join(', ')}`,
);

const inventory = closed({
  service: text.optional(),
  run: argv,
  key: text,
  label: text.optional(),
  advice: text,
});

const recipient = text
  .regex(/^age1[0-9a-z]+$/, {
    abort: true,
    error: ({ input }) => {
      if (isPrivateAgeKey(String(input)))
        return 'must not be a private key, which this host must not know: give its recipient, as `age-keygen -y` prints it';
      const meant = /^(ssh|ecdsa|sk)-/.test(String(input)) ? ', not a key of SSH' : '';
      return `must be an age recipient${meant}: age1…, as \`dockerctl backup key generate\` prints it`;
    },
  })
  .refine((written) => decodeAgeKey(written, 'age') !== undefined, {
    error: ({ input }) => nameWrongRecipient(String(input)),
  });

function repeated(all: readonly string[]): string | undefined {
  return all.find((one, index) => all.indexOf(one) < index);
}

export const backup = closed({
  repository: text,
  recipients: z
    .array(recipient)
    .min(1, 'must name a recipient; leave it out where nothing shall be encrypted')
    .refine((all) => repeated(all) === undefined, {
      error: ({ input }) => `names ${repeated(input as string[])} twice`,
    })
    .optional(),
  'signing-key': text.optional(),
  signers: text.optional(),
  'min-free': size.optional(),
  keep: keep.optional(),
  'refuse-while': z.array(busyCheck).optional(),
  sources: z.record(text.regex(plainName, 'is no name for a source'), source),
  inventories: z.record(text.regex(plainName, 'is no name for an inventory'), inventory).optional(),
  metrics: text.optional(),
  'on-success': z.array(argv).optional(),
  'on-failure': z.array(argv).optional(),
});

export type WrittenBackup = z.output<typeof backup>;
export type WrittenSource = z.output<typeof source>;

function namesTags(text: string): boolean {
  return tagsIn(text).every((tag) => tag !== '');
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
