import { dirname } from 'node:path/posix';
import type { FileFilter } from '../../deployment/backup-settings.ts';
import type { Entry } from '../../repository/entry.ts';
import { compileFilter, type Filter, type Verdict } from '../../support/file-filter/filter.ts';
import type { ProblemLog } from './problem-log.ts';

/** Applies the filter of a walk to entries that come by in the order of one, as `walk` does it to directories. */
export class ArchiveFilter {
  readonly #filter: Filter | undefined;
  readonly #everything: boolean;
  /** Directories on the way to here that wait for something inside that is wanted. */
  #waiting: Entry[] = [];

  constructor(lists: FileFilter) {
    this.#filter = compileFilter(lists);
    this.#everything = lists.include.length === 0;
  }

  /** What goes into the tree when `entry` comes by: directories that waited for it, and itself, or nothing. */
  take(entry: Entry, problems: ProblemLog): Entry[] {
    if (this.#filter === undefined || entry.path === '.') return [entry];
    const verdict = this.#verdict(entry.path, entry.type === 'directory');
    this.#waiting = this.#waiting.filter(({ path }) => entry.path.startsWith(`${path}/`));
    if (verdict === 'descend') this.#waiting.push(entry);
    if (verdict !== 'take') return [];
    if (entry.hardlink !== undefined && this.#verdict(entry.hardlink, false) !== 'take') {
      problems.linkedToLeftOut(entry.path, entry.hardlink);
      return [];
    }
    return [...this.#waiting.splice(0), entry];
  }

  #verdict(path: string, isDirectory: boolean): Verdict {
    const parent = dirname(path);
    const above = parent === '.' ? (this.#everything ? 'take' : 'descend') : this.#verdict(parent, true);
    if (above === 'skip') return 'skip';
    return this.#filter?.(path, isDirectory, above === 'take') ?? 'take';
  }
}
