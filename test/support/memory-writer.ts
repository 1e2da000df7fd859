import { closeSync, constants, fstatSync, readFileSync } from 'node:fs';
import { digestOf } from '../../src/oci/digest.ts';
import { comparePaths, type Entry } from '../../src/repository/entry.ts';
import {
  type FileToStore,
  type PreviousFile,
  replaced,
  type SourceWriter,
  type StoredFile,
} from '../../src/repository/run/run.ts';
import { codeOf } from '../../src/support/errors.ts';
import { openAt } from '../../src/support/posix/open.ts';
import { readXattrs } from '../../src/support/posix/xattrs.ts';

/**
 * A source's writer that keeps everything in memory and does nothing behind one's back, for tests that must touch
 * files at an exact moment between walk and read. One chunk per file.
 */
export class MemoryWriter implements SourceWriter {
  readonly predecessor = undefined;
  readonly lastComplete = undefined;
  readonly entries: Entry[] = [];
  complete = true;
  readonly warnings: string[] = [];
  readonly chunks = new Map<string, Buffer>();
  /** Names of the files read, in order. */
  readonly read: string[] = [];
  /** Called before each batch. */
  beforeRead: (names: string[]) => void = () => {};
  /** Called instead of reading, when it returns something. */
  answer: (name: string) => StoredFile | undefined = () => undefined;
  readonly #previous: Entry[];

  constructor(previous: MemoryWriter | undefined = undefined) {
    this.#previous = previous?.entries ?? [];
    for (const [digest, bytes] of previous?.chunks ?? []) this.chunks.set(digest, bytes);
  }

  async *previous(): AsyncGenerator<PreviousFile[]> {
    yield this.#previous.map((entry) => ({ path: entry.path, entry, isPlainly: () => false }));
  }

  has = ({ entry }: PreviousFile): boolean =>
    entry?.chunks?.every((chunk) => this.chunks.has(chunk)) === true;

  async storeFiles(files: readonly FileToStore[]): Promise<StoredFile[]> {
    const names = files.map(({ name }) => name);
    this.beforeRead(names);
    this.read.push(...names);
    return files.map((file, i) => this.answer(names[i]!) ?? this.#readFile(file));
  }

  async storeStream(content: AsyncIterable<Uint8Array>): Promise<{ chunks: string[]; size: number }> {
    const bytes = Buffer.concat(await Array.fromAsync(content));
    return { chunks: this.#store(bytes), size: bytes.length };
  }

  async add(entry: Entry): Promise<void> {
    const last = this.entries.at(-1);
    if (last && comparePaths(last.path, entry.path) >= 0)
      throw new Error(`${last.path} before ${entry.path}`);
    this.entries.push(entry);
  }

  keep = ({ entry }: PreviousFile): Promise<void> => this.add(entry!);

  warn = (message: string): void => {
    this.warnings.push(message);
  };

  fail = (message: string): void => {
    this.complete = false;
    this.warnings.push(message);
  };

  end(): never {
    throw new Error('nobody ends it here');
  }

  #readFile({ directory, name, inode }: FileToStore): StoredFile {
    try {
      const file = openAt(directory, name, constants.O_RDONLY);
      try {
        const { ino, mtimeNs: mtime, ctimeNs: ctime } = fstatSync(file, { bigint: true });
        if (Number(ino) !== inode) return { error: replaced };
        const bytes = readFileSync(file);
        const xattrs = readXattrs(file);
        const content = { chunks: this.#store(bytes), size: bytes.length, ...(xattrs && { xattrs }) };
        return { ...content, asRead: { mtime, ctime, inode } };
      } finally {
        closeSync(file);
      }
    } catch (error) {
      return { error: codeOf(error) ?? 'EIO' };
    }
  }

  #store(bytes: Buffer): string[] {
    if (bytes.length === 0) return [];
    const digest = digestOf(bytes);
    this.chunks.set(digest, bytes);
    return [digest];
  }
}
