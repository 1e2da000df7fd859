import * as z from 'zod';
import { parseCalendarSpan, parseDuration, parseSize } from './units.ts';
import { splitWords } from './words.ts';

/** Text; numbers must be quoted, so that 1.10 stays 1.10. */
export const text = z.string().min(1, 'must not be empty');

/** True or false, also as the text that a variable leaves. */
export const flag = z.union([
  z.boolean(),
  z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true'),
]);

/** A whole number, also as the text that a variable leaves. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  const error = `must be a whole number ${range}`;
  return z.union([
    z.int(error).min(least, error).max(most, error),
    z
      .string()
      .regex(/^-?\d+$/, error)
      .transform(Number)
      .refine((value) => value >= least && value <= most, error),
  ]);
}

export const decimal = z.union([
  z.number().positive('must be more than 0'),
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number),
]);

/** Bytes, from `10GiB`, `64m` or a number. */
export const size = measured(parseSize, 'must be a size such as 512k, 64m or 10GiB');

/** Seconds, from `90s`, `1m30s` or `36h`. */
export const duration = measured(parseDuration, 'must be a duration such as 30s, 1m30s or 36h', 'text');

/** Seconds that something may take: the clock of the runtime goes no further than 24 days. */
export const patience = duration.refine(
  (seconds) => seconds > 0 && seconds <= 24 * 86_400,
  'must be more than 0s and at most 24d',
);

/** As restic writes it. */
export const calendarSpan = text.transform((value, context) => {
  const span = parseCalendarSpan(value);
  if (span !== undefined) return span;
  const message =
    'must be such as 30d, 36h, 6m (months) or 1y6m: years y, months m, weeks w, days d, hours h';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

function measured(parse: (text: string) => number | undefined, error: string, only?: 'text') {
  const written = z.string(error).transform((value, context) => {
    const amount = parse(value);
    if (amount !== undefined) return amount;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
  const amount = only === 'text' ? z.never(error) : z.int(error).min(0, error);
  return z.union([written, amount], error);
}

/** Program and arguments; nothing is given to a shell. */
export const argv = z
  .array(
    z.union([text, z.number().transform(String)], 'must be text'),
    'must be a list: the program, then its arguments',
  )
  .min(1, 'must name a program');

/** What a container runs: a list, or text that is split into words as a shell would. */
export const command = z.union([
  z.string().transform((line, context) => {
    const words = splitWords(line);
    if (words !== undefined) return words;
    context.addIssue({ code: 'custom', message: 'has a quote that is not closed' });
    return z.NEVER;
  }),
  z.array(z.string()),
]);

/** One or several texts. */
export const textOrList = z.union(
  [text.transform((one) => [one]), z.array(text)],
  'must be text or a list of texts',
);

const plain = z.union(
  [z.string(), z.number().transform(String), z.boolean().transform(String)],
  'must be text',
);

/** `{NAME: value}` or `[NAME=value]`; a name without a value maps to `undefined`. */
export const assignments = z.union([
  z.record(
    text,
    plain.nullable().transform((value) => value ?? undefined),
  ),
  z.array(text).transform((items) => {
    return Object.fromEntries(items.map((item): [string, string | undefined] => splitOnce(item, '=')));
  }),
]);

/** `assignments` in which every name has a value; without one it is empty. */
export const labels = assignments.transform((map) => {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, value ?? '']));
});

/** What is before the first separator, and behind it: `undefined` when there is none. */
export function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
