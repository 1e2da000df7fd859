import { closeSync } from 'node:fs';
import type { FileFilter } from '../../deployment/backup-settings.ts';
import { codeOf } from '../../support/errors.ts';
import { cacheTag, isCacheDirectory } from '../../support/file-filter/cache-tag.ts';
import { compileFilter, type Filter } from '../../support/file-filter/filter.ts';
import { isAtOrIn } from '../../support/path-containment.ts';
import { openDirectoryAt } from '../../support/posix/open.ts';
import { existsAt, statAt } from '../../support/posix/stat.ts';
import { atPath } from '../../support/posix/whole-path.ts';
import { isStagingName } from '../../support/staging-name.ts';
import { joinPath } from '../places.ts';
import { nameOf } from '../tree/checked-entries.ts';
import { namesIn, openStaging } from './staging.ts';

/** A target and what its backups leave out. */
export interface LeftOutRule {
  /** Absolute, one character per byte. */
  path: string;
  filter: FileFilter;
}

/**
 * What lives in a target only because the backup leaves it out by rule: it must go over into the restored tree. Paths
 * relative to `place`, topmost first; nothing where the restored tree has no directory to put it in.
 *
 * @param kept directories that stay where they are, `place` perhaps among them
 */
export function findLeftOut(
  { path, filter }: LeftOutRule,
  place: string,
  kept: ReadonlySet<string>,
  id: string,
): string[] {
  const decide = compileFilter(filter);
  if (decide === undefined && !filter.excludeCaches) return [];
  const search: Search = {
    decide: decide ?? (() => 'take'),
    excludeCaches: filter.excludeCaches,
    kept,
    place,
    found: [],
  };
  const staging = openStaging(place, id);
  try {
    const below = isAtOrIn(place, path) ? place : path;
    const filterPath = below === path ? '' : `${below.slice(path.length + 1)}/`;
    const taken = filter.include.length === 0;
    atPath(below, () => {
      if (below === place) visit(search, staging.place, staging.fresh, { inside: '', filterPath, taken });
      else
        inBoth(staging.place, staging.fresh, nameOf(path), (live, fresh) => {
          visit(search, live, fresh, { inside: `${nameOf(path)}/`, filterPath, taken });
        });
    });
    return search.found;
  } finally {
    staging.close();
  }
}

interface Search {
  decide: Filter;
  excludeCaches: boolean;
  kept: ReadonlySet<string>;
  place: string;
  found: string[];
}

interface Position {
  /** What paths in the place, and paths for the filter, begin with here. */
  inside: string;
  filterPath: string;
  taken: boolean;
}

function visit(search: Search, live: number, fresh: number, position: Position): void {
  const cache = search.excludeCaches && isCacheDirectory(live);
  for (const name of namesIn(live)) {
    const onHost = joinPath(search.place, position.inside + name);
    if (isStagingName(name) || search.kept.has(onHost)) continue;
    atPath(onHost, () => visitName(search, live, fresh, name, { ...position, cache }));
  }
}

function visitName(
  search: Search,
  live: number,
  fresh: number,
  name: string,
  { inside, filterPath, taken, cache }: Position & { cache: boolean },
): void {
  const path = inside + name;
  const isDirectory = statAt(live, name).type === 'directory';
  const verdict = cache && name !== cacheTag ? 'skip' : search.decide(filterPath + name, isDirectory, taken);
  if (!existsAt(fresh, name)) {
    if (verdict !== 'take') search.found.push(path);
  } else if (isDirectory && verdict !== 'skip') {
    inBoth(live, fresh, name, (liveInside, freshInside) =>
      visit(search, liveInside, freshInside, {
        inside: `${path}/`,
        filterPath: `${filterPath}${name}/`,
        taken: verdict === 'take',
      }),
    );
  }
}

/** Only where both are directories. */
function inBoth(live: number, fresh: number, name: string, act: (live: number, fresh: number) => void): void {
  const opened: number[] = [];
  try {
    if (!openBoth([live, fresh], name, opened)) return;
    act(opened[0]!, opened[1]!);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function openBoth(parents: readonly number[], name: string, opened: number[]): boolean {
  try {
    for (const parent of parents) opened.push(openDirectoryAt(parent, name));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
