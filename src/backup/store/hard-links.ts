import { identityOf, type Stat } from '../../support/posix/stat.ts';

/**
 * Finds the names that are one file. Remembers a file only until all of its names were seen, so that what it holds
 * is bounded by links that lead out of the source.
 */
export class HardLinks {
  readonly #files = new Map<string, { path: string; unseen: number }>();

  /** The path under which the same file was seen first; `undefined` when this is the first. */
  firstPathOf(stat: Stat, path: string): string | undefined {
    if (stat.links < 2 || stat.type === 'directory') return undefined;
    const identity = identityOf(stat);
    const known = this.#files.get(identity);
    if (known === undefined) {
      this.#files.set(identity, { path, unseen: stat.links - 1 });
      return undefined;
    }
    known.unseen--;
    if (known.unseen <= 0) this.#files.delete(identity);
    return known.path;
  }

  /** The last name asked for could not be saved: the next one is the first. */
  forget(stat: Stat): void {
    this.#files.delete(identityOf(stat));
  }
}
