import { statSync } from 'node:fs';
import type { FileFilter } from '../../deployment/backup-settings.ts';
import { compileFilter, type Filter } from '../../support/file-filter/filter.ts';
import { kernelFileSystems } from '../../support/kernel-file-systems.ts';
import { isInside } from '../../support/path-containment.ts';
import { fromText, toFsPath } from '../../support/posix/byte-path.ts';
import { realPlace } from '../../support/real-place.ts';
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
  const rules: Rules = {
    decide: filter && compileFilter(filter),
    oneFileSystem: filter?.oneFileSystem ?? false,
    ofKernel: kernelFileSystems(),
  };
  const left = mounted.flatMap((mount) => leftOutAbove(path, rules, mount) ?? []);
  const own = fromText(realPlace(stateDir));
  const all = new Set([...left, ...(isInside(own, path) ? [own] : [])]);
  return [...all].filter((one) => ![...all].some((other) => isInside(one, other)));
}

/** What the backups of a target leave out. */
interface Rules {
  decide: Filter | undefined;
  oneFileSystem: boolean;
  /** Devices. */
  ofKernel: ReadonlySet<number>;
}

/** The mount point, or the topmost directory on the way to it, that backups leave out; as the walk decides it. */
function leftOutAbove(
  path: string,
  { decide, oneFileSystem, ofKernel }: Rules,
  mount: string,
): string | undefined {
  const names = mount.slice(path.length + 1).split('/');
  const ways = names.map((_, i) => names.slice(0, i + 1).join('/'));
  const skipped = ways.find((way) => decide?.(way, true, true) === 'skip');
  if (skipped !== undefined) return `${path}/${skipped}`;
  const device = deviceOf(mount);
  if (device === deviceOf(path)) return undefined;
  const isOfKernel = device !== undefined && ofKernel.has(device);
  return isOfKernel || oneFileSystem ? mount : undefined;
}

/** `undefined` where nobody answers, as on a share whose server is gone: that is another file system too. */
function deviceOf(path: string): number | undefined {
  try {
    return statSync(toFsPath(path)).dev;
  } catch {
    return undefined;
  }
}
