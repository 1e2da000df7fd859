import { statSync } from 'node:fs';
import type { FileFilter } from '../../deployment/backup-settings.ts';
import { compileFilter } from '../../support/file-filter/filter.ts';
import { toFsPath } from '../../support/posix/byte-path.ts';
import { isInside } from '../tree/checked-entries.ts';

/**
 * Directories in a target that its backups leave out by rule and that hold a mount point, or are one. What is left out goes over into
 * the restored tree, but a mount cannot: these stay where they are, with all that is in them.
 *
 * @param path of the target; all paths are absolute and one character per byte
 * @returns topmost ones only
 */
export function mountedLeftOut(path: string, filter: FileFilter, mounts: readonly string[]): string[] {
  const inside = mounts.filter((mount) => isInside(mount, path));
  const left = new Set(inside.flatMap((mount) => leftOutAbove(path, filter, mount) ?? []));
  return [...left].filter((one) => ![...left].some((other) => isInside(one, other)));
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
