import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Entry } from '../repository/entry.ts';
import type { SourceWriter } from '../repository/repository.ts';
import type { Context } from '../support/context.ts';
import type { ProgressTask } from '../support/progress.ts';
import { PreviousEntries } from './previous-entries.ts';
import type { Changes } from './report.ts';

/**
 * Files of a tree that no file system holds: dumps, and what dockerctl itself adds. Given in the order of their paths, with the
 * directories they are in made up. One whose content is what it was keeps its time, so that an unchanged dump is
 * an unchanged tree.
 */
export class StreamFiles {
  /** The last `store` failed on our side, not on that of whoever produced the content. */
  storingFailed = false;
  readonly #writer: SourceWriter;
  readonly #previous: PreviousEntries;
  readonly #task: ProgressTask;
  readonly #context: Context;
  readonly #changes: Changes = { added: 0, changed: 0, removed: 0 };
  readonly #directories = new Set<string>();

  constructor({ writer, task, context }: { writer: SourceWriter; task: ProgressTask; context: Context }) {
    this.#writer = writer;
    this.#previous = new PreviousEntries(writer.previous());
    this.#task = task;
    this.#context = context;
  }

  /** @returns bytes of the content */
  async store(path: string, content: AsyncIterable<Uint8Array>): Promise<number> {
    await this.#addDirectoriesOf(path);
    const stored = await this.#storeContent(content);
    const before = await this.#previous.at(path);
    await this.#add({ ...this.#common(path), type: 'file', mode: 0o600, ...stored }, before);
    return stored.size;
  }

  /** A small file at hand: when it is what it was, nothing is set in motion to store it. */
  async storeBytes(path: string, bytes: Uint8Array): Promise<void> {
    await this.#addDirectoriesOf(path);
    const before = await this.#previous.at(path);
    if (before !== undefined && holds(before, bytes) && this.#writer.has(before)) {
      await this.#writer.add(before);
      return;
    }
    const stored = await this.#storeContent(Readable.from([bytes]));
    await this.#add({ ...this.#common(path), type: 'file', mode: 0o600, ...stored }, before);
  }

  async finish(): Promise<Changes> {
    await this.#previous.finish();
    return { ...this.#changes, removed: this.#previous.removed };
  }

  async #storeContent(content: AsyncIterable<Uint8Array>): Promise<{ chunks: string[]; size: number }> {
    const produced = { failed: false };
    this.storingFailed = false;
    try {
      return await this.#writer.storeStream(this.#watch(content, produced));
    } catch (error) {
      this.storingFailed = !produced.failed;
      throw error;
    }
  }

  async *#watch(
    content: AsyncIterable<Uint8Array>,
    produced: { failed: boolean },
  ): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of content) {
        this.#context.signal.throwIfAborted();
        this.#task.advance(piece.length);
        yield piece;
      }
    } catch (error) {
      produced.failed = true;
      throw error;
    }
  }

  async #addDirectoriesOf(path: string): Promise<void> {
    const parts = path.split('/').slice(0, -1);
    for (const [i] of parts.entries()) {
      const directory = parts.slice(0, i + 1).join('/');
      if (this.#directories.has(directory)) continue;
      this.#directories.add(directory);
      const before = await this.#previous.at(directory);
      await this.#add({ ...this.#common(directory), type: 'directory', mode: 0o700 }, before);
    }
  }

  async #add(entry: Entry, before: Entry | undefined): Promise<void> {
    if (before !== undefined && isSame(before, entry)) return this.#writer.add(before);
    this.#changes[before === undefined ? 'added' : 'changed']++;
    await this.#writer.add(entry);
  }

  #common(path: string) {
    return { path, uid: 0, gid: 0, mtime: BigInt(this.#context.now().getTime()) * 1_000_000n };
  }
}

/** Files as small as these are one chunk, named by its digest. */
function holds({ chunks }: Entry, bytes: Uint8Array): boolean {
  return chunks?.length === 1 && chunks[0] === hash('sha256', bytes, 'hex');
}

function isSame(before: Entry, entry: Entry): boolean {
  return (
    before.type === entry.type && before.size === entry.size && before.chunks?.join() === entry.chunks?.join()
  );
}
