import { freeNow } from '../../support/free-now.ts';
import type { Recipient } from '../age/keys.ts';
import { compress, storeRaw, worthwhileEffort } from '../blobs/zstd.ts';
import { chunkLimits } from '../chunks/gear.ts';
import { PackFile, type WrittenPack } from './pack-file.ts';
import { frameGoal, frameLimit, spaceOf, writeChunk } from './tar-frame.ts';

export interface PackWriterOptions {
  /** A name in staging that no other pack has. */
  nextPath(): string;
  /** Bytes at which a pack is full. */
  goal: number;
  /** Who can open the packs; nobody: they are not sealed. */
  recipients: readonly Recipient[];
  /** Called for every pack that is complete and synced. */
  onPack(pack: WrittenPack): void;
}

/** So many frames are compressed at a time, or wait for the ones before them to be written. */
const framesInFlight = 2;

/**
 * Packs chunks: gathers them in frames, compresses the frames on the thread pool and writes them in order. The
 * buffers of the frames in flight are all the memory it takes.
 */
export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #free: Buffer[] = Array.from({ length: framesInFlight }, () => {
    return Buffer.allocUnsafeSlow(Math.max(frameLimit, spaceOf(chunkLimits.maximum)));
  });
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  readonly #closing: Promise<void>[] = [];
  #frame: OpenFrame | undefined;
  #pack: PackFile | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(options: PackWriterOptions) {
    this.#options = options;
  }

  /** Copies the chunk; waits while too many frames are in flight. */
  async add(hex: string, chunk: Uint8Array): Promise<void> {
    const isTooMuch = (this.#frame?.used ?? 0) + spaceOf(chunk.length) > frameLimit;
    if (this.#frame !== undefined && isTooMuch) this.#closeFrame(this.#frame);
    this.#frame ??= { buffer: await this.#acquire(), used: 0, sizes: [], chunks: [] };
    const frame = this.#frame;
    frame.used = writeChunk(frame.buffer, frame.used, hex, chunk);
    frame.sizes.push(chunk.length);
    frame.chunks.push(hex);
    if (frame.used >= frameGoal) this.#closeFrame(frame);
  }

  /** Completes the open pack. Resolves when every pack so far is synced and reported. */
  async finish(): Promise<void> {
    if (this.#frame !== undefined) this.#closeFrame(this.#frame);
    await this.#written;
    this.#closePack();
    await Promise.all(this.#closing.splice(0));
  }

  #closeFrame(frame: OpenFrame): void {
    this.#frame = undefined;
    const bytes = frame.buffer.subarray(0, frame.used);
    const effort = worthwhileEffort(bytes);
    const packed = effort === undefined ? Promise.resolve(storeRaw(bytes)) : compress(bytes, effort);
    this.#written = Promise.all([packed, this.#written]).then(([compressed]) => {
      this.#release(frame.buffer);
      this.#write(compressed, frame);
    });
    this.#written.catch(() => {});
  }

  #write(compressed: Uint8Array, { sizes, chunks }: OpenFrame): void {
    const { nextPath, goal, recipients } = this.#options;
    this.#pack ??= new PackFile(nextPath(), goal, recipients);
    this.#pack.append(compressed, { sizes, chunks: chunks.join('') });
    freeNow(compressed);
    if (this.#pack.isFull) this.#closePack();
  }

  #closePack(): void {
    if (this.#pack === undefined) return;
    const closed = this.#pack.close().then((pack) => this.#options.onPack(pack));
    closed.catch(() => {});
    this.#closing.push(closed);
    this.#pack = undefined;
  }

  /** Fails when a frame before could not be written. */
  async #acquire(): Promise<Buffer> {
    const buffer = this.#free.pop();
    if (buffer !== undefined) return buffer;
    const freed = new Promise<Buffer>((resolve) => this.#waiting.push(resolve));
    return Promise.race([freed, this.#written.then(() => freed)]);
  }

  #release(buffer: Buffer): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(buffer);
    else this.#free.push(buffer);
  }
}

interface OpenFrame {
  buffer: Buffer;
  used: number;
  sizes: number[];
  chunks: string[];
}
