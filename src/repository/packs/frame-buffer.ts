import { hash } from 'node:crypto';
import { freeNow } from '../../support/free-now.ts';
import { chunkLimits } from '../chunks/gear.ts';
import { digestBytes } from '../chunks/table.ts';
import { endEntry, frameGoal, frameLimit, headerBytes, spaceOf } from './tar-frame.ts';

/** Room for a frame at its limit or for the largest chunk, and for the content behind that to be moved on. */
const capacity = Math.max(frameLimit, spaceOf(chunkLimits.maximum)) + spaceOf(1);
const mostChunks = frameLimit / spaceOf(1);

/**
 * A fixed piece of memory in which a frame is made. Content is read to where it will lie in the frame and becomes a
 * chunk there: nothing is copied on its way to the compressor.
 */
export class FrameBuffer {
  #memory = Buffer.allocUnsafeSlow(capacity);
  /** Whether it held one chunk longer than the limit. */
  #isStretched = false;
  readonly #digests = Buffer.allocUnsafeSlow(mostChunks * digestBytes);
  #used = 0;
  #sizes: number[] = [];

  /** The frame so far. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#used);
  }

  /** Bytes of each chunk. */
  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /** Digests of the chunks in order, `digestBytes` each; valid until the frame changes. */
  get digests(): Buffer {
    return this.#digests.subarray(0, this.#sizes.length * digestBytes);
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  get isFull(): boolean {
    return this.#used >= frameGoal;
  }

  /** More should join it before it is compressed. */
  get isSmall(): boolean {
    return this.#used < frameGoal / 2;
  }

  /** Bytes that the next chunk may have. */
  get room(): number {
    const end = this.isEmpty ? spaceOf(chunkLimits.maximum) : frameLimit;
    return Math.max(0, end - this.#used - headerBytes);
  }

  /** Where the next chunk belongs: its bytes up to `to`. */
  content(to: number): Buffer {
    const start = this.#begin(to);
    return this.#memory.subarray(start, start + to);
  }

  /** The same without a view of it: `put` is told where in the memory those `size` bytes belong. */
  fill(size: number, put: (memory: Buffer, at: number) => boolean): boolean {
    return put(this.#memory, this.#begin(size));
  }

  /**
   * Makes the first `size` bytes of the content a chunk, and returns its digest in hex. The `rest` bytes behind it
   * become the first ones of the next.
   */
  addChunk(size: number, rest = 0): string {
    const start = this.#begin(size);
    const hex = hash('sha256', this.#memory.subarray(start, start + size));
    if (rest > 0) this.#memory.copyWithin(start + spaceOf(size), start + size, start + size + rest);
    this.#end(hex, size);
    return hex;
  }

  /** Copies a chunk whose digest is known. */
  addCopy(hex: string, chunk: Uint8Array): void {
    this.content(chunk.length).set(chunk);
    this.#end(hex, chunk.length);
  }

  /** Leaves only the chunks whose byte in `wanted` is 1. */
  keep(wanted: Uint8Array): void {
    if (!wanted.includes(0)) return;
    const sizes = this.#sizes;
    let from = 0;
    this.#used = 0;
    this.#sizes = [];
    for (const [i, size] of sizes.entries()) {
      const to = from + spaceOf(size);
      if (wanted[i] === 1) {
        this.#memory.copyWithin(this.#used, from, to);
        this.#digests.copyWithin(this.#sizes.length * digestBytes, i * digestBytes, (i + 1) * digestBytes);
        this.#used += to - from;
        this.#sizes.push(size);
      }
      from = to;
    }
  }

  /** Whether the limit of a frame has room for the chunks of `other` too. */
  hasRoomFor(other: FrameBuffer): boolean {
    return this.#used + other.#used <= frameLimit;
  }

  /** Copies all chunks of `other`. */
  append(other: FrameBuffer): void {
    this.#memory.set(other.bytes, this.#used);
    this.#digests.set(other.digests, this.digests.length);
    this.#used += other.#used;
    this.#sizes.push(...other.#sizes);
  }

  /** What a rare long chunk took above the limit of others goes back to the system. */
  clear(): void {
    this.#used = 0;
    this.#sizes = [];
    if (!this.#isStretched) return;
    freeNow(this.#memory);
    this.#memory = Buffer.allocUnsafeSlow(capacity);
    this.#isStretched = false;
  }

  #begin(size: number): number {
    const start = this.#used + headerBytes;
    this.#isStretched ||= start + size > frameLimit;
    return start;
  }

  #end(hex: string, size: number): void {
    this.#digests.write(hex, this.#sizes.length * digestBytes, 'hex');
    this.#sizes.push(size);
    this.#used = endEntry(this.#memory, this.#used, hex, size);
  }
}

/** A few frame buffers that take turns: whoever fills them waits here while all are being compressed. */
export class FrameBuffers {
  readonly #free: FrameBuffer[];
  readonly #waiting: ((buffer: FrameBuffer) => void)[] = [];

  constructor(count: number) {
    this.#free = Array.from({ length: count }, () => new FrameBuffer());
  }

  async acquire(): Promise<FrameBuffer> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(buffer: FrameBuffer): void {
    buffer.clear();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(buffer);
    else this.#free.push(buffer);
  }
}
