import { hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { comparePaths, type Entry } from '../../repository/entry.ts';
import type { PreviousFile } from '../../repository/run/run.ts';
import type { Changes } from '../report.ts';
import type { SourceJob } from './source-job.ts';

type Content = Pick<Entry, 'chunks' | 'size'> & Partial<FileMetadata>;

/** Of a file that has an owner where it comes from. */
export type FileMetadata = Pick<Entry, 'mode' | 'uid' | 'gid'>;

/**
 * Files of a tree that no file system holds: dumps, images, and what dockerctl itself adds. They are few, so they may
 * come in any order; the directories they are in are made up. One whose content is what it was keeps its time, so that
 * an unchanged dump is an unchanged tree.
 */
export class StreamFiles {
  /** The last `store` failed on our side, not on that of whoever produced the content. */
  storingFailed = false;
  readonly #job: Pick<SourceJob, 'writer' | 'task' | 'context'>;
  readonly #previous: ReadonlyMap<string, PreviousFile>;
  readonly #stored = new Map<string, Content>();

  private constructor(job: SourceJob, previous: ReadonlyMap<string, PreviousFile>) {
    this.#job = job;
    this.#previous = previous;
  }

  static async open(job: SourceJob): Promise<StreamFiles> {
    const previous = new Map<string, PreviousFile>();
    for await (const files of job.writer.previous()) {
      for (const file of files) if (file.entry !== undefined) previous.set(file.path, file);
    }
    return new StreamFiles(job, previous);
  }

  /** @returns bytes of the content */
  async store(path: string, content: AsyncIterable<Uint8Array>, metadata?: FileMetadata): Promise<number> {
    const produced = { failed: false };
    this.storingFailed = false;
    try {
      const stored = await this.#job.writer.storeStream(this.#watch(content, produced));
      this.#stored.set(path, { ...stored, ...metadata });
      return stored.size;
    } catch (error) {
      this.storingFailed = !produced.failed;
      throw error;
    }
  }

  /** A small file at hand: when it is what it was, nothing is set in motion to store it. */
  async storeBytes(path: string, bytes: Uint8Array): Promise<void> {
    if (this.holds(path, bytes)) this.#stored.set(path, this.#previous.get(path)!.entry!);
    else await this.store(path, Readable.from([bytes]));
  }

  /**
   * Whether the previous snapshot has these bytes at `path`, and they can still be used. Files as small as these are
   * one chunk.
   */
  holds(path: string, bytes: Uint8Array): boolean {
    const before = this.#previous.get(path);
    const chunks = before?.entry?.chunks;
    if (before === undefined || chunks?.length !== 1 || chunks[0] !== hash('sha256', bytes, 'hex'))
      return false;
    return this.#job.writer.has(before);
  }

  /** Takes every file from the previous snapshot, if all of them can still be used. */
  keepAll(): boolean {
    const files = [...this.#previous.values()].filter(({ entry }) => entry?.type === 'file');
    if (!files.every((file) => this.#job.writer.has(file))) return false;
    for (const { path, entry } of files) this.#stored.set(path, entry!);
    return true;
  }

  /** Brings what was stored into the tree. */
  async finish(): Promise<Changes> {
    const changes: Changes = { added: 0, changed: 0, removed: 0 };
    const paths = [...new Set([...this.#stored.keys()].flatMap(withDirectories))].sort(comparePaths);
    for (const path of paths) {
      const before = this.#previous.get(path);
      const entry = this.#entry(path);
      if (before?.entry !== undefined && isSame(before.entry, entry)) {
        await this.#job.writer.keep(before);
        continue;
      }
      changes[before === undefined ? 'added' : 'changed']++;
      await this.#job.writer.add(entry);
    }
    const present = new Set(paths);
    changes.removed = [...this.#previous.keys()].filter((path) => !present.has(path)).length;
    return changes;
  }

  async *#watch(
    content: AsyncIterable<Uint8Array>,
    produced: { failed: boolean },
  ): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of content) {
        this.#job.context.signal.throwIfAborted();
        this.#job.task.advance(piece.length);
        yield piece;
      }
    } catch (error) {
      produced.failed = true;
      throw error;
    }
  }

  #entry(path: string): Entry {
    const mtime = BigInt(this.#job.context.now().getTime()) * 1_000_000n;
    const content = this.#stored.get(path);
    if (content === undefined) return { path, type: 'directory', mode: 0o700, uid: 0, gid: 0, mtime };
    const { chunks = [], size = 0, mode = 0o600, uid = 0, gid = 0 } = content;
    return { path, type: 'file', mode, uid, gid, mtime, chunks, size };
  }
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
function withDirectories(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

function isSame(before: Entry, entry: Entry): boolean {
  return (
    before.type === entry.type &&
    before.size === entry.size &&
    before.mode === entry.mode &&
    before.uid === entry.uid &&
    before.gid === entry.gid &&
    before.chunks?.join() === entry.chunks?.join()
  );
}
