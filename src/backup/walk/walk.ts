import { codeOf } from '../../support/errors.ts';
import { cacheTag, isCacheDirectory } from '../../support/file-filter/cache-tag.ts';
import { compileFilter, type Filter } from '../../support/file-filter/filter.ts';
import { kernelFileSystems } from '../../support/kernel-file-systems.ts';
import { identityOf, type Stat, statAt } from '../../support/posix/stat.ts';
import { isStagingName } from '../../support/staging-name.ts';
import { DirectoryHandle } from './directory-handle.ts';
import { mostLevels } from './most-levels.ts';

/** A file as the walk saw it. Paths and names are one character per byte. */
export interface Seen {
  /** As its entry will be called. */
  path: string;
  /** Open until the walk moves on: retain it to use it later. */
  parent: DirectoryHandle;
  name: string;
  stat: Stat;
}

/** Where a walk begins. */
export interface WalkRoot {
  /** Of the root in the tree: `.`, or what everything below it begins with. */
  path: string;
  /** Directory that the root is in, and its name there. */
  parent: string;
  name: string;
}

export interface WalkOptions {
  include: readonly string[];
  exclude: readonly string[];
  /** Do not enter directories on another file system than the root's, and leave out files that are mounted from one. */
  oneFileSystem: boolean;
  /** Of directories that carry a CACHEDIR.TAG, keep only the tag. */
  excludeCaches: boolean;
  /** Directories never to enter, by `identityOf`: where the backup itself is written. */
  neverEnter: ReadonlySet<string>;
  onProblem(problem: WalkProblem): void;
}

export interface WalkProblem {
  /** `missing`: the root; `vanished`: something that was there a moment ago; `kernel`: nothing in it are files. */
  kind: 'missing' | 'vanished' | 'unreadable' | 'socket' | 'kernel';
  path: string;
  /** The system's code. */
  code?: string;
}

/**
 * Visits everything under `root` in the order of `comparePaths`: a directory, then its children sorted by their bytes.
 * It goes by directory handles and follows no link, so nobody who swaps one in can lead it elsewhere. In memory are the
 * names in the directories from the root to here, nothing else.
 */
export function* walk(root: WalkRoot, options: WalkOptions): Generator<Seen, void, undefined> {
  yield* new Walk(options).from(root);
}

/** Several walks, one after the other; roots in the order of their paths. */
export function* walkAll(roots: readonly WalkRoot[], options: WalkOptions): Generator<Seen, void, undefined> {
  for (const root of roots) yield* walk(root, options);
}

/** A directory whose children are being visited. */
interface Level {
  directory: DirectoryHandle;
  /** What paths in the tree, and paths for the filter, begin with here. */
  treePrefix: string;
  filterPrefix: string;
  names: readonly string[];
  next: number;
  /** Everything in here is wanted, unless excluded. */
  taken: boolean;
  /** The directory itself, while it waits for something inside that is wanted. */
  waiting: Seen | undefined;
}

class Walk {
  readonly #options: WalkOptions;
  readonly #filter: Filter | undefined;
  readonly #levels: Level[] = [];
  readonly #mostLevels = mostLevels();
  #rootDevice = 0;
  #kernelDevices: ReadonlySet<number> | undefined;

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#filter = compileFilter(options);
  }

  *from(root: WalkRoot): Generator<Seen, void, undefined> {
    const parent = this.#openParent(root);
    if (parent === undefined) return;
    try {
      const seen = this.#look(parent, root.name, root.path, 'missing');
      if (seen === undefined) return;
      this.#rootDevice = seen.stat.device;
      yield seen;
      this.#enter(seen, '', this.#options.include.length === 0, undefined);
      yield* this.#visitLevels();
    } finally {
      for (const { directory } of this.#levels) directory.release();
      parent.release();
    }
  }

  *#visitLevels(): Generator<Seen, void, undefined> {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const name = level.names[level.next++];
      if (name === undefined) {
        this.#levels.pop();
        level.directory.release();
        continue;
      }
      const seen = this.#look(level.directory, name, level.treePrefix + name, 'vanished');
      if (seen !== undefined) yield* this.#visit(seen, level);
    }
  }

  *#visit(seen: Seen, level: Level): Generator<Seen, void, undefined> {
    const isDirectory = seen.stat.type === 'directory';
    const path = this.#filter === undefined ? '' : level.filterPrefix + seen.name;
    const verdict = this.#filter?.(path, isDirectory, level.taken) ?? 'take';
    if (verdict === 'skip' || (!isDirectory && this.#isMountedFile(seen.stat))) return;
    if (verdict === 'take') {
      if (level.waiting !== undefined) yield* this.#waitingDirectories();
      yield seen;
    }
    if (isDirectory) this.#enter(seen, `${path}/`, verdict === 'take', verdict === 'take' ? undefined : seen);
  }

  /** The directories on the way to something wanted; the root has been seen already. */
  *#waitingDirectories(): Generator<Seen, void, undefined> {
    for (const level of this.#levels) {
      if (level.waiting !== undefined) yield level.waiting;
      level.waiting = undefined;
    }
  }

  #enter(seen: Seen, filterPrefix: string, taken: boolean, waiting: Seen | undefined): void {
    if (seen.stat.type !== 'directory' || this.#isOffLimits(seen.stat)) return;
    if (this.#isOfKernel(seen.stat)) {
      if (taken) this.#options.onProblem({ kind: 'kernel', path: seen.path });
      return;
    }
    if (this.#levels.length >= this.#mostLevels) {
      this.#options.onProblem({ kind: 'unreadable', path: seen.path, code: 'EMFILE' });
      return;
    }
    const directory = this.#attempt(seen.path, 'vanished', () => seen.parent.openInside(seen.name));
    if (directory === undefined) return;
    const all = this.#attempt(seen.path, 'vanished', () => directory.sortedNames()) ?? [];
    const own = all.filter((name) => !isStagingName(name));
    const names = this.#keepOnlyTagOfCache(directory, own);
    const treePrefix = seen.path === '.' ? '' : `${seen.path}/`;
    this.#levels.push({ directory, treePrefix, filterPrefix, names, next: 0, taken, waiting });
  }

  #isOffLimits(stat: Stat): boolean {
    if (this.#options.oneFileSystem && stat.device !== this.#rootDevice) return true;
    return this.#options.neverEnter.has(identityOf(stat));
  }

  /** One that is mounted below the root; who names one as the root wants what it shows. */
  #isOfKernel({ device }: Stat): boolean {
    if (device === this.#rootDevice) return false;
    this.#kernelDevices ??= kernelFileSystems();
    return this.#kernelDevices.has(device);
  }

  /** On an overlay any file may be of another device: that alone says nothing. */
  #isMountedFile({ device, mounted }: Stat): boolean {
    return this.#options.oneFileSystem && mounted && device !== this.#rootDevice;
  }

  #keepOnlyTagOfCache(directory: DirectoryHandle, names: readonly string[]): readonly string[] {
    if (!this.#options.excludeCaches || !names.includes(cacheTag)) return names;
    return isCacheDirectory(directory.descriptor) ? [cacheTag] : names;
  }

  #openParent(root: WalkRoot): DirectoryHandle | undefined {
    return this.#attempt(root.path, 'missing', () => DirectoryHandle.open(root.parent));
  }

  #look(parent: DirectoryHandle, name: string, path: string, ifGone: Gone): Seen | undefined {
    const stat = this.#attempt(path, ifGone, () => statAt(parent.descriptor, name));
    if (stat?.type !== 'socket') return stat && { path, parent, name, stat };
    this.#options.onProblem({ kind: 'socket', path });
    return undefined;
  }

  /** What cannot be read is reported, and the walk goes on. */
  #attempt<T>(path: string, ifGone: Gone, act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      this.#options.onProblem({ kind: code === 'ENOENT' ? ifGone : 'unreadable', path, code });
      return undefined;
    }
  }
}

type Gone = 'missing' | 'vanished';
