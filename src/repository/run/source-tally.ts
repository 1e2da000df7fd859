import type { Entry } from '../entry.ts';

/** No more failures, and no more warnings, than this are kept; the rest is counted. */
const mostKept = 100;
/** All that a snapshot tells of a source, with the line that counts the rest. */
export const mostWarnings = 2 * mostKept + 1;

/** What counting a file needs. One that is known by its stat alone is no hard link and has no holes. */
export type Counted = Pick<Entry, 'size' | 'hardlink' | 'holes'> & { type: string };

/** What a snapshot tells of a source besides its tree: how many files and bytes, and what there was to warn of. */
export class SourceTally {
  files = 0;
  bytes = 0;
  readonly #failures: string[] = [];
  readonly #warnings: string[] = [];
  #unkept = 0;

  count(file: Counted): void {
    if (file.type !== 'file') return;
    this.files++;
    if (file.hardlink === undefined) this.bytes += (file.size ?? 0) - totalHoles(file);
  }

  warn(message: string): void {
    this.#keep(message, this.#warnings);
  }

  fail(message: string): void {
    this.#keep(message, this.#failures);
  }

  /** Nothing failed. */
  get complete(): boolean {
    return this.#failures.length === 0;
  }

  /** What failed first: the first of them is why the source is incomplete. */
  get warnings(): string[] {
    const kept = [...this.#failures, ...this.#warnings];
    return this.#unkept > 0 ? [...kept, `and ${this.#unkept} more`] : kept;
  }

  #keep(message: string, list: string[]): void {
    if (list.length < mostKept) list.push(message);
    else this.#unkept++;
  }
}

function totalHoles({ holes }: Counted): number {
  return holes?.reduce((sum, [, length]) => sum + length, 0) ?? 0;
}
