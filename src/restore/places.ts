import { isAtOrIn } from '../support/path-containment.ts';
import { nameOf, parentOf } from './tree/checked-entries.ts';

/**
 * Which directories of the host stay, and which of their children are replaced. A tree is put in place by renaming its
 * root within the directory it is in. A mount point cannot be renamed, and whatever lies above one would take the mount
 * along: those directories stay, and their children are replaced one by one.
 *
 * All paths are absolute and one character per byte.
 */
export interface Layout {
  places: Place[];
  /** What stays of a target although the snapshot has it: mount points, and the directories that lead to them. */
  kept: ReadonlySet<string>;
}

export interface Place {
  directory: string;
  /** Names, or all there are except those that are kept themselves. */
  children: Set<string> | 'all';
  /** Names that go with one of the children. */
  companions: { name: string; of: string }[];
}

/** Where one tree of a source belongs. */
export interface Target {
  source: string;
  /** Path at which the tree begins in the snapshot. */
  root: string;
  /** The same on this host. Its parents are no links; it may be one, and is then replaced. */
  path: string;
  /** Names beside it that mean nothing without it: they go when it goes. */
  companions?: string[];
  /** Directories in it that stay as they are, whatever the snapshot has there: see `untouchedIn`. */
  untouched?: string[];
}

/** @param mounts every mount point of the host */
export function layOut(targets: readonly Target[], mounts: readonly string[]): Layout {
  const places = new Map<string, Place>();
  const kept = new Set<string>();
  for (const { path, companions = [], untouched = [] } of targets) {
    const within = mounts.filter((mount) => isAtOrIn(mount, path));
    if (within.length === 0 && untouched.length === 0)
      addChild(places, parentDirectory(path), nameOf(path), companions);
    for (const directory of untouched) kept.add(directory);
    const replaced = within.filter((mount) => !untouched.some((one) => isAtOrIn(mount, one)));
    for (const lowest of [...replaced, ...untouched.map(parentOf)]) {
      for (let at = lowest; ; at = parentOf(at)) {
        kept.add(at);
        places.set(at, { directory: at, children: 'all', companions: [] });
        if (at === path) break;
      }
    }
  }
  return { places: [...places.values()], kept };
}

/** Where `path` of a target's tree belongs on the host. */
export function hostPath({ root, path }: Target, entryPath: string): string {
  if (entryPath === root) return path;
  return `${path}/${root === '.' ? entryPath : entryPath.slice(root.length + 1)}`;
}

/** The target whose tree holds `entryPath`. */
export function targetOf(targets: readonly Target[], entryPath: string): Target | undefined {
  return targets.find(({ root }) => isAtOrIn(entryPath, root));
}

/** Whether what a target's tree has at `entryPath` belongs to a directory that stays as it is. */
export function isUntouched(target: Target, entryPath: string): boolean {
  const { untouched = [] } = target;
  return untouched.some((directory) => isAtOrIn(hostPath(target, entryPath), directory));
}

/** Of an absolute path; `/` for a name at the top. */
export function parentDirectory(path: string): string {
  return parentOf(path) || '/';
}

/** A path of the host, as a directory and a name in it, joined. */
export function joinPath(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

function addChild(
  places: Map<string, Place>,
  directory: string,
  name: string,
  companions: readonly string[],
): void {
  const place = places.get(directory) ?? { directory, children: new Set<string>(), companions: [] };
  places.set(directory, place);
  if (place.children === 'all') return;
  place.children.add(name);
  place.companions.push(...companions.map((companion) => ({ name: companion, of: name })));
}
