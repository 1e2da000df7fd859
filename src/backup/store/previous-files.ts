import { comparePaths } from '../../repository/entry.ts';
import type { PreviousFile } from '../../repository/run/run.ts';

/** The previous snapshot's files beside a walk in the same order: one step of a merge join at a time. */
export class PreviousFiles {
  readonly #segments: AsyncIterator<Iterable<PreviousFile>>;
  #files: Iterator<PreviousFile> | undefined;
  #current: PreviousFile | undefined;
  #ended = false;
  /** Files that were passed over: they are gone. */
  removed = 0;

  constructor(segments: AsyncIterable<Iterable<PreviousFile>>) {
    this.#segments = segments[Symbol.asyncIterator]();
  }

  /**
   * Passes over what comes before `path`. Paths must be given in order.
   * @returns whether more must be read first: `readOn`
   */
  endsBefore(path: string): boolean {
    for (; this.#current !== undefined; this.#advance()) {
      if (this.#current.path === path || comparePaths(this.#current.path, path) > 0) return false;
      this.removed++;
    }
    return !this.#ended;
  }

  async readOn(): Promise<void> {
    const { value, done } = await this.#segments.next();
    this.#ended = done === true;
    this.#files = this.#ended ? undefined : (value as Iterable<PreviousFile>)[Symbol.iterator]();
    this.#advance();
  }

  /** The file called `path`, if there was one, where they do not end before it. */
  take(path: string): PreviousFile | undefined {
    const found = this.#current;
    if (found?.path !== path) return undefined;
    this.#advance();
    return found;
  }

  /** Counts what is left as removed. */
  async finish(): Promise<void> {
    while (!this.#ended) {
      for (; this.#current !== undefined; this.#advance()) this.removed++;
      await this.readOn();
    }
  }

  async close(): Promise<void> {
    await this.#segments.return?.();
  }

  #advance(): void {
    const { value, done } = this.#files?.next() ?? { done: true, value: undefined };
    this.#current = done === true ? undefined : value;
  }
}
