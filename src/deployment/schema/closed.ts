import * as z from 'zod';
import { nearest } from '../suggest.ts';

/** Why a key that others know is not for dockerctl. */
export type Refusals = Readonly<Record<string, string>>;

/**
 * A map that has these keys and no others. An unknown key is an error that says what was probably meant, or what is
 * allowed; one of `refusals` says why it is not supported.
 */
export function closed<Shape extends z.core.$ZodLooseShape>(shape: Shape, refusals: Refusals = {}) {
  return z.strictObject(shape, {
    error: (issue) => {
      return issue.code === 'unrecognized_keys' ? refusalOf(issue.keys[0] ?? '', shape, refusals) : undefined;
    },
  });
}

/** A `closed` map that also takes extension keys, `x-…`, which are somebody else's. */
export function extensible<Shape extends z.core.$ZodLooseShape>(shape: Shape, refusals: Refusals = {}) {
  return closed(shape, refusals).meta({ extensible: true });
}

function refusalOf(key: string, shape: object, refusals: Refusals): string {
  const allowed = Object.keys(shape);
  const reason = refusals[key];
  if (reason !== undefined) return `is not supported: ${reason}`;
  const meant = nearest(key, allowed);
  return meant === undefined
    ? `is not known here; allowed: ${allowed.join(', ')}`
    : `is not known here; did you mean ${meant}?`;
}
