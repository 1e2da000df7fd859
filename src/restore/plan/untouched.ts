import { realpathSync, statSync } from 'node:fs';
import type { FileFilter } from '../../deployment/backup-settings.ts';
import { compileFilter } from '../../support/file-filter/filter.ts';
import { isInside } from '../../support/path-containment.ts';
import { fromText, toFsPath } from '../../support/posix/byte-path.ts';
import type { Target } from '../places.ts';

/** What a host has that a restore must not move. */
export interface Surroundings {
  /** Every mount point, one character per byte. */
  mounts: readonly string[];
  /** What backups of the source leave out, where that is known. */
  filter: FileFilter | undefined;
  /** Where dockerctl keeps its own state, this restore's journal with it. */
  stateDir: string;
}

/**
 * Directories in a target that stay where they are, with all that is in them, the topmost only. Backups leave them out; and what is left out
 * goes over into the restored tree, but a mount cannot, and the journal must be found by whoever takes up a restore that was killed.
 */
export function untouchedIn(
  { path }: Pick<Target, 'path'>,
  { mounts, filter, stateDir }: Surroundings,
): string[] {
  const mounted = mounts.filter((mount) => isInside(mount, path));
  const left =
    filter === undefined ? [] : mounted.flatMap((mount) => leftOutAbove(path, filter, mount) ?? []);
  const own = realPlace(stateDir);
  const all = new Set([...left, ...(isInside(own, path) ? [own] : [])]);
  return [...all].filter((one) => ![...all].some((other) => isInside(one, other)));
}

/** The mount point, or the topmost directory on the way to it, that backups leave out; as the walk decides it. */
function leftOutAbove(path: string, filter: FileFilter, mount: string): string | undefined {
  const decide = compileFilter(filter);
  const names = mount.slice(path.length + 1).split('/');
  const ways = names.map((_, i) => names.slice(0, i + 1).join('/'));
  const skipped = ways.find((way) => decide?.(way, true, true) === 'skip');
  if (skipped !== undefined) return `${path}/${skipped}`;
  return filter.oneFileSystem && deviceOf(mount) !== deviceOf(path) ? mount : undefined;
}

/** `undefined` where nobody answers, as on a share whose server is gone: that is another file system too. */
function deviceOf(path: string): number | undefined {
  try {
    return statSync(toFsPath(path)).dev;
  } catch {
    return undefined;
  }
}

/** As the paths of targets are, without links. */
function realPlace(directory: string): string {
  try {
    return fromText(realpathSync(directory));
  } catch {
    return fromText(directory);
  }
}
