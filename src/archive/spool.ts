import { randomBytes } from 'node:crypto';
import { close, openSync, read, unlinkSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where in a spool some bytes lie. */
export interface Extent {
  readonly chunk: Chunk;
  readonly offset: number;
  readonly length: number;
}

interface Chunk {
  readonly descriptor: number;
  /** Bytes given out to writers. */
  size: number;
  /** Bytes not yet taken back. */
  live: number;
}

/**
 * A chunk that has been taken whole gives its space back, so a spool and the copy made of it need little more than one
 * of them.
 */
const chunkSize = 64 << 20;

const writeAt = promisify(write);
const readAt = promisify(read);
const closeFile = promisify(close);

/**
 * Bytes set aside on disk, each extent written once and taken once, in any order. The files have no names: whatever
 * happens to this process, the kernel frees them.
 */
export class Spool {
  readonly #directory: string;
  readonly #chunks = new Set<Chunk>();
  #current: Chunk | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  write(bytes: Uint8Array): Promise<Extent> {
    return this.#tracked(this.#writeExtent(bytes));
  }

  /** Returns the bytes of an extent and frees it. */
  take(extent: Extent): Promise<Uint8Array> {
    return this.#tracked(this.#takeExtent(extent));
  }

  /** Frees an extent unread. */
  async drop({ chunk, length }: Extent): Promise<void> {
    chunk.live -= length;
    if (chunk.live === 0 && chunk !== this.#current) await this.#release(chunk);
  }

  /** Frees everything, once what is being written and read has ended. Nothing can be written afterwards. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
    this.#current = undefined;
    for (const chunk of [...this.#chunks]) await this.#release(chunk);
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  async #writeExtent(bytes: Uint8Array): Promise<Extent> {
    if (this.#isClosed) throw new Error('the spool is closed');
    const chunk = this.#chunkFor(bytes.length);
    const extent = { chunk, offset: chunk.size, length: bytes.length };
    chunk.size += bytes.length;
    chunk.live += bytes.length;
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await writeAt(
        chunk.descriptor,
        bytes,
        done,
        bytes.length - done,
        extent.offset + done,
      );
      done += bytesWritten;
    }
    return extent;
  }

  async #takeExtent(extent: Extent): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(extent.length);
    for (let done = 0; done < extent.length; ) {
      const { chunk, offset, length } = extent;
      const { bytesRead } = await readAt(chunk.descriptor, bytes, done, length - done, offset + done);
      if (bytesRead === 0) throw new Error('a spool file ended early');
      done += bytesRead;
    }
    await this.drop(extent);
    return bytes;
  }

  #chunkFor(length: number): Chunk {
    if (this.#current !== undefined && this.#current.size + length <= chunkSize) return this.#current;
    const path = join(this.#directory, `.dockerctl-spool.${randomBytes(6).toString('hex')}.tmp`);
    const descriptor = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    const full = this.#current;
    this.#current = { descriptor, size: 0, live: 0 };
    this.#chunks.add(this.#current);
    if (full?.live === 0) void this.#tracked(this.#release(full));
    return this.#current;
  }

  async #release(chunk: Chunk): Promise<void> {
    if (this.#chunks.delete(chunk)) await closeFile(chunk.descriptor);
  }
}
