import { toText } from '../../support/posix/byte-path.ts';
import { comparePaths } from '../entry.ts';

/** The paths between two others, both left out; without one there is no bound. One character per byte. */
export interface PathRange {
  after: string | undefined;
  before: string | undefined;
}

/** Whether a path lies in the range, whose ends do not belong to it. */
export function isWithin(path: string, { after, before }: PathRange): boolean {
  return (
    (after === undefined || comparePaths(path, after) > 0) &&
    (before === undefined || comparePaths(path, before) < 0)
  );
}

/** `every file after PATH and before PATH`. */
export function describeRange({ after, before }: PathRange): string {
  const bounds = [
    ...(after === undefined ? [] : [`after ${toText(after)}`]),
    ...(before === undefined ? [] : [`before ${toText(before)}`]),
  ];
  return ['every file', bounds.join(' and ')].join(' ').trimEnd();
}
