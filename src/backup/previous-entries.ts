import { comparePaths, type Entry } from '../repository/entry.ts';

/** The previous snapshot's entries beside a walk in the same order: one step of a merge join at a time. */
export class PreviousEntries {
  readonly #entries: AsyncIterator<Entry>;
  #current: Entry | undefined;
  #ended = false;
  /** Entries that were passed over: they are gone. */
  removed = 0;

  constructor(entries: AsyncIterable<Entry>) {
    this.#entries = entries[Symbol.asyncIterator]();
  }

  /** The entry called `path`, if there was one. Paths must be asked for in order. */
  async at(path: string): Promise<Entry | undefined> {
    while (!this.#ended) {
      if (this.#current !== undefined) {
        if (this.#current.path === path) return this.#take();
        if (comparePaths(this.#current.path, path) > 0) return undefined;
        this.removed++;
      }
      await this.#advance();
    }
    return undefined;
  }

  /** Counts what is left as removed. */
  async finish(): Promise<void> {
    while (!this.#ended) {
      if (this.#current !== undefined) this.removed++;
      await this.#advance();
    }
  }

  async close(): Promise<void> {
    await this.#entries.return?.();
  }

  #take(): Entry | undefined {
    const found = this.#current;
    this.#current = undefined;
    return found;
  }

  async #advance(): Promise<void> {
    const { value, done } = await this.#entries.next();
    this.#ended = done === true;
    this.#current = this.#ended ? undefined : value;
  }
}
