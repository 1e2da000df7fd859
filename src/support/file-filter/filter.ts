import { lastMatch, parsePatterns } from './gitignore.ts';

/** What to do with a file or directory: `descend` means that only something inside may be wanted. */
export type Verdict = 'take' | 'descend' | 'skip';

/** @param parentTaken whether the directory it is in was taken with everything in it */
export type Filter = (path: string, isDirectory: boolean, parentTaken: boolean) => Verdict;

/**
 * Include and exclude lists in the syntax of gitignore(5), for paths relative to the root of a walk. An excluded
 * directory is never entered, so nothing inside can be included again. Without an include list everything is wanted.
 *
 * @returns `undefined` when both lists are empty: take everything
 */
export function compileFilter(lists: {
  include: readonly string[];
  exclude: readonly string[];
}): Filter | undefined {
  const include = parsePatterns(lists.include);
  const exclude = parsePatterns(lists.exclude);
  if (include.length === 0 && exclude.length === 0) return undefined;
  return (path, isDirectory, parentTaken) => {
    if (lastMatch(exclude, path, isDirectory)) return 'skip';
    if (include.length === 0) return 'take';
    if (lastMatch(include, path, isDirectory) ?? parentTaken) return 'take';
    return isDirectory ? 'descend' : 'skip';
  };
}
