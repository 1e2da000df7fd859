import { freeNow } from '../../support/free-now.ts';
import type { Recipient } from '../age/keys.ts';
import { compress, storeRaw, worthwhileEffort } from '../blobs/zstd.ts';
import type { FrameBuffer, FrameBuffers } from './frame-buffer.ts';
import type { Frame } from './index-lines.ts';
import { PackFile, type WrittenPack } from './pack-file.ts';

export interface PackWriterOptions {
  /** Two at least. */
  buffers: FrameBuffers;
  /** A name in staging that no other pack has. */
  nextPath(): string;
  /** Bytes at which a pack is full. */
  goal: number;
  /** Who can open the packs; nobody: they are not sealed. */
  recipients: readonly Recipient[];
  /** Called for every pack that is complete and synced. */
  onPack(pack: WrittenPack): void;
}

/**
 * Packs chunks: gathers them in frames, compresses the frames on the thread pool and writes them in order. The frame
 * buffers are all the memory it takes.
 */
export class PackWriter {
  readonly #options: PackWriterOptions;
  readonly #closing: Promise<void>[] = [];
  #frame: FrameBuffer | undefined;
  #pack: PackFile | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(options: PackWriterOptions) {
    this.#options = options;
  }

  /** Copies the chunk; waits while all frame buffers are in flight. Fails when a frame before could not be written. */
  async add(hex: string, chunk: Uint8Array): Promise<void> {
    if (this.#frame !== undefined && chunk.length > this.#frame.room) this.#closeFrame(this.#frame);
    this.#frame ??= await this.#acquire();
    this.#frame.addCopy(hex, chunk);
    if (this.#frame.isFull) this.#closeFrame(this.#frame);
  }

  /**
   * Takes a frame over, and releases its buffer once it is written. A small one is kept for more, or joins the one that
   * was kept before. Resolves when all that are not kept are written.
   */
  addFrame(frame: FrameBuffer): Promise<void> {
    const kept = this.#frame;
    if (frame.isEmpty) this.#options.buffers.release(frame);
    else if (!frame.isSmall) this.#closeFrame(frame);
    else if (kept?.hasRoomFor(frame)) {
      kept.append(frame);
      this.#options.buffers.release(frame);
      if (kept.isFull) this.#closeFrame(kept);
    } else {
      if (kept !== undefined) this.#closeFrame(kept);
      this.#frame = frame;
    }
    return this.#written;
  }

  /** Completes the open pack. Resolves when every pack so far is synced and reported. */
  async finish(): Promise<void> {
    if (this.#frame !== undefined) this.#closeFrame(this.#frame);
    await this.#written;
    this.#closePack();
    await Promise.all(this.#closing.splice(0));
  }

  /** Gives up: lets go of the pack that is not complete. */
  async abandon(): Promise<void> {
    await Promise.allSettled([this.#written, ...this.#closing.splice(0)]);
    this.#pack?.discard();
    this.#pack = undefined;
  }

  #closeFrame(frame: FrameBuffer): void {
    if (this.#frame === frame) this.#frame = undefined;
    const { bytes } = frame;
    const effort = worthwhileEffort(bytes);
    const packed = effort === undefined ? Promise.resolve(storeRaw(bytes)) : compress(bytes, effort);
    this.#written = Promise.all([packed, this.#written]).then(([compressed]) => {
      const contents = { sizes: [...frame.sizes], chunks: frame.digests.toString('hex') };
      this.#options.buffers.release(frame);
      this.#write(compressed, contents);
    });
    this.#written.catch(() => {});
  }

  #write(compressed: Uint8Array, contents: Omit<Frame, 'length'>): void {
    const { nextPath, goal, recipients } = this.#options;
    this.#pack ??= new PackFile(nextPath(), goal, recipients);
    this.#pack.append(compressed, contents);
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

  async #acquire(): Promise<FrameBuffer> {
    const freed = this.#options.buffers.acquire();
    return Promise.race([freed, this.#written.then(() => freed)]);
  }
}
