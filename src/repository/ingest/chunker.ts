import { setImmediate } from 'node:timers/promises';
import { chunkLimits, findCut } from '../chunks/gear.ts';
import type { FrameBuffer, FrameBuffers } from '../packs/frame-buffer.ts';

/** Puts content into `buffer` from `offset` on and returns how many bytes; 0 is the end. */
export type Read = (buffer: Buffer, offset: number) => number | Promise<number>;

/** So many bytes are read, then searched for a cut. What lies behind a cut is moved, so they are few. */
const step = 256 * 1024;

/**
 * Reads content into frames, cuts it into chunks and names them. Full frames go to `pack`, which must release their
 * buffers.
 */
export class Chunker {
  readonly #gear: Int32Array;
  readonly #buffers: FrameBuffers;
  readonly #pack: (frame: FrameBuffer) => void;
  #frame: FrameBuffer | undefined;

  constructor(gear: Int32Array, buffers: FrameBuffers, pack: (frame: FrameBuffer) => void) {
    this.#gear = gear;
    this.#buffers = buffers;
    this.#pack = pack;
  }

  /** The one that has begun. */
  get frame(): FrameBuffer | undefined {
    return this.#frame;
  }

  /**
   * Content of `size` bytes, no more than a chunk's minimum, as one chunk, where the frame that has begun has room for
   * it. `read` puts it into the memory from `at` on, and tells whether it counts.
   */
  addAtOnce(size: number, read: (memory: Buffer, at: number) => boolean): string[] | undefined {
    const frame = this.#begunWithRoom(size);
    if (!frame?.fill(size, read)) return undefined;
    return size === 0 ? [] : [frame.addChunk(size)];
  }

  /** Content of at most `size` bytes, no more than a chunk's minimum, is one chunk; `keep` decides if it counts. */
  async addSmall(size: number, read: Read, keep: (length: number) => boolean): Promise<string[] | undefined> {
    const frame = await this.#frameWithRoom(size);
    const content = frame.content(size);
    let length = 0;
    for (let got = 1; got > 0 && length < size; length += got) got = await read(content, length);
    if (!keep(length)) return undefined;
    return length === 0 ? [] : [frame.addChunk(length)];
  }

  /** Content of any length, cut where its bytes say. */
  async addLarge(read: Read): Promise<{ chunks: string[]; size: number }> {
    const chunks: string[] = [];
    let size = 0;
    let begun = 0;
    for (;;) {
      const frame = await this.#frameWithRoom(begun + 1, begun);
      const to = Math.max(chunkLimits.minimum, begun + step);
      const got = await read(frame.content(Math.min(to, frame.room, chunkLimits.maximum)), begun);
      const searched = begun;
      begun += got;
      size += got;
      const cut = this.#findCut(frame, searched, begun) ?? (got === 0 ? begun : 0);
      if (cut > 0) chunks.push(frame.addChunk(cut, begun - cut));
      if (got === 0) return { chunks, size };
      begun -= cut;
      await setImmediate(); // Answers and compressed frames wait for this thread too.
    }
  }

  /** Sends the frame that has only begun on its way. */
  flush(): void {
    const frame = this.#frame;
    this.#frame = undefined;
    if (frame !== undefined) this.#pack(frame);
  }

  /** A frame whose next chunk may have `size` bytes, of which `begun` were read to the frame before. */
  async #frameWithRoom(size: number, begun = 0): Promise<FrameBuffer> {
    const withRoom = this.#begunWithRoom(size);
    if (withRoom !== undefined) return withRoom;
    const full = this.#frame;
    const next = await this.#buffers.acquire();
    if (full !== undefined) next.content(begun).set(full.content(begun));
    this.flush();
    this.#frame = next;
    return next;
  }

  #begunWithRoom(size: number): FrameBuffer | undefined {
    const frame = this.#frame;
    return frame !== undefined && !frame.isFull && size <= frame.room ? frame : undefined;
  }

  /** Where the chunk of which `begun` bytes are there ends, when it is in those after the first `searched`. */
  #findCut(frame: FrameBuffer, searched: number, begun: number): number | undefined {
    const from = Math.max(searched, chunkLimits.minimum);
    const cut = from < begun ? findCut(this.#gear, frame.content(begun), from, begun) : undefined;
    return cut ?? (begun === chunkLimits.maximum ? begun : undefined);
  }
}
