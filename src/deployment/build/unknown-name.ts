import type { Path } from '../document/document.ts';
import { nearest } from '../suggest.ts';
import type { FileContext } from './file-context.ts';

const advice = {
  service: undefined,
  volume: 'Declare it under volumes, or begin a host path with "/", "./" or "~/"',
  network: 'Declare it under networks',
};

/** The error about a name that the file does not declare, with the one that was probably meant. */
export function unknownName(
  what: keyof typeof advice,
  name: string,
  path: Path,
  known: readonly string[],
  context: FileContext,
): Error {
  const meant = nearest(name, known);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return context.problem(path, `there is no ${what} ${JSON.stringify(name)}${hint}`, advice[what]);
}
