import type { Entry } from '../entry.ts';

/** No more warnings than this are kept; the rest is counted. */
const mostWarnings = 100;

/** What counting a file needs. One that is known by its stat alone is no hard link and has no holes. */
export type Counted = Pick<Entry, 'size' | 'hardlink' | 'holes'> & { type: string };

/** What a snapshot tells of a source besides its tree: how many files and bytes, and what there was to warn of. */
export class SourceTally {
  files = 0;
  bytes = 0;
  readonly #warnings: string[] = [];
  #unkept = 0;

  count(file: Counted): void {
    if (file.type !== 'file') return;
    this.files++;
    if (file.hardlink === undefined) this.bytes += (file.size ?? 0) - totalHoles(file);
  }

  warn(message: string): void {
    if (this.#warnings.length < mostWarnings) this.#warnings.push(message);
    else this.#unkept++;
  }

  get warnings(): string[] {
    return this.#unkept > 0 ? [...this.#warnings, `and ${this.#unkept} more`] : [...this.#warnings];
  }
}

function totalHoles({ holes }: Counted): number {
  return holes?.reduce((sum, [, length]) => sum + length, 0) ?? 0;
}
