import type * as z from 'zod';
import { nearest } from '../suggest.ts';

export interface Problem {
  path: (string | number)[];
  message: string;
}

export const missing = 'is missing';

type Issue = z.core.$ZodIssue;

/** Puts what zod found wrong with `value` in an operator's words; one problem per place. */
export function problemsOf(issues: readonly Issue[], value: unknown): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, [], value));
}

function problemsOfIssue(issue: Issue, base: readonly (string | number)[], value: unknown): Problem[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  const problem = (message: string) => [{ path, message }];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
    case 'invalid_key':
      return problem(issue.issues[0]?.message ?? issue.message);
    case 'invalid_union': {
      const meant = branchMeant(issue.errors);
      if (meant !== undefined) return meant.flatMap((inner) => problemsOfIssue(inner, path, value));
      return problem(issue.message === unworded ? `must be ${alternatives(issue.errors)}` : issue.message);
    }
    case 'invalid_type':
      if (at(value, path) === undefined) return problem(missing);
      return problem(isUnworded(issue.message) ? `must be ${word(issue.expected)}` : issue.message);
    case 'invalid_value':
      return problem(
        isUnworded(issue.message) ? oneOf(issue.values.map(String), at(value, path)) : issue.message,
      );
    default:
      return problem(issue.message);
  }
}

/** zod's own texts all begin so; ours never do. */
const unworded = 'Invalid input';

function isUnworded(message: string): boolean {
  return message.startsWith('Invalid ');
}

/** Of the alternatives those of the right type, and of them the one that is closest to what was written. */
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const possible = branches
    .filter((issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0))
    .map((issues) => ({ issues, weight: issues.reduce((sum, issue) => sum + weightOf(issue), 0) }))
    .sort((a, b) => a.weight - b.weight);
  const [first, second] = possible;
  return first !== undefined && first.weight !== second?.weight ? first.issues : undefined;
}

/** A key that is written tells more of what was meant than one that is missing. */
function weightOf(issue: Issue): number {
  return issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1;
}

function alternatives(branches: readonly (readonly Issue[])[]): string {
  const words = branches
    .flat()
    .flatMap((issue) => (issue.code === 'invalid_type' ? [word(issue.expected)] : []));
  return [...new Set(words)].join(' or ');
}

const typeWords: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
};

function word(expected: string): string {
  return typeWords[expected] ?? expected;
}

function oneOf(values: readonly string[], written: unknown): string {
  const meant = typeof written === 'string' ? nearest(written, values) : undefined;
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(', ')}${hint}`;
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, part) => (inner as Record<string | number, unknown> | undefined)?.[part],
    value,
  );
}
