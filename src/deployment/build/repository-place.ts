import { basename, dirname, join, relative } from 'node:path';
import { compileFilter } from '../../support/file-filter/filter.ts';
import { isAtOrIn, isInside } from '../../support/path-containment.ts';
import { fromText } from '../../support/posix/byte-path.ts';
import { realPlace } from '../../support/real-place.ts';
import type { PathsSource, Source } from '../backup-settings.ts';
import type { FileContext } from './file-context.ts';

/**
 * A repository inside a source would grow with every backup of itself, unless the source's excludes leave it out. Links
 * are followed, as far as directories are there: what counts is where it really lies.
 */
export function refuseRepositoryInside(
  sources: readonly Source[],
  repository: string,
  context: FileContext,
): void {
  const place = realPlace(repository);
  for (const source of sources) {
    for (const path of source.kind === 'paths' ? source.paths : []) {
      // The walk does not follow a link that is named itself, only those on the way to it.
      const root = join(realPlace(dirname(path)), basename(path));
      if (isAtOrIn(root, place)) throw refusal(repository, path, source, context);
      const liesInside = isInside(place, root);
      if (liesInside && !isExcluded(relative(root, place), source as PathsSource))
        throw refusal(repository, path, source, context, relative(root, place));
    }
  }
}

/** As the walk decides it: what is excluded is never entered. */
function isExcluded(path: string, { filter }: PathsSource): boolean {
  const decide = compileFilter(filter);
  const names = fromText(path).split('/');
  return names.some((_, i) => decide?.(names.slice(0, i + 1).join('/'), true, true) === 'skip');
}

/** @param inside where it lies in the path; `undefined` when no exclude could leave it out */
function refusal(
  repository: string,
  path: string,
  { name }: Source,
  { problem }: FileContext,
  inside?: string,
): Error {
  return problem(
    ['x-dockerctl', 'backup', 'repository'],
    `${repository} overlaps with ${path} of the source ${name}`,
    inside === undefined
      ? 'a repository must lie outside of everything that is backed up into it'
      : `leave it out: exclude: [${JSON.stringify(literalPattern(inside))}] in the source ${name}`,
  );
}

/** In the syntax of gitignore(5), this directory and no other. */
function literalPattern(path: string): string {
  return `/${path.replaceAll(/[\\*?[]/g, '\\$&')}/`;
}
