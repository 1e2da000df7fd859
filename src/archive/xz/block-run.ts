import { freeNow } from '../../support/free-now.ts';
import type { XzBlock } from './block-index.ts';

/** What all blocks that are decoded ahead may hold together. */
export class Budget {
  #left: number;
  #waiting: (() => void)[] = [];

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(bytes: number): void {
    this.#left -= bytes;
  }

  give(bytes: number): void {
    this.#left += bytes;
    this.wake();
  }

  wake(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** The block that is being read may hold so much in any case; others live on the budget. */
const headShare = 4 << 20;

/**
 * Compressed bytes that are decoded at a time: many spare turns between threads, few decode little in vain near the
 * end.
 */
const pieces = { least: 32 << 10, most: 256 << 10 };

/** Decodes a block, asking how many bytes of it to decode next. */
export type BlockDecoder = (block: XzBlock, pieceSize: () => number) => AsyncGenerator<Uint8Array>;

/** One block being decoded, into a queue, as far as somebody wants it. */
export class BlockRun {
  /** Offset, in the whole content, of the next byte that `next` gives. */
  position: number;
  readonly #block: XzBlock;
  readonly #decoding: AsyncGenerator<Uint8Array>;
  readonly #budget: Budget;
  readonly #pumping: Promise<void>;
  #wantedEnd: number;
  #queue: Uint8Array[] = [];
  #held = 0;
  #isHead = false;
  #isClosed = false;
  #ended = false;
  #failure: unknown;
  #arrived: (() => void) | undefined;

  constructor(block: XzBlock, decode: BlockDecoder, budget: Budget) {
    this.#block = block;
    this.position = block.contentOffset;
    this.#wantedEnd = block.contentOffset;
    this.#decoding = decode(block, () => this.#pieceSize());
    this.#budget = budget;
    this.#pumping = this.#pump();
  }

  /** Decodes up to `end`, an offset in the whole content, as memory allows. */
  want(end: number): void {
    if (end <= this.#wantedEnd) return;
    this.#wantedEnd = end;
    this.#budget.wake();
  }

  /** It is read now, up to `end`. */
  becomeHead(end: number): void {
    this.want(end);
    if (this.#isHead) return;
    this.#isHead = true;
    this.#budget.wake();
  }

  /** The next bytes, at most `max`, of those that are wanted; at least one, for readers know where the block ends. */
  async next(max: number): Promise<Uint8Array> {
    const piece = (await this.#first()).subarray(0, max);
    this.#drop(piece.length);
    return piece;
  }

  /** Passes over what lies before `offset`. */
  async skipTo(offset: number): Promise<void> {
    while (this.position < offset) {
      const first = await this.#first();
      const passed = Math.min(first.length, offset - this.position);
      this.#drop(passed);
      if (passed === first.buffer.byteLength) freeNow(first); // Nobody was given a part of it.
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#budget.give(this.#held);
    this.#held = 0;
    this.#queue = [];
    await this.#pumping;
  }

  async #first(): Promise<Uint8Array> {
    while (this.#queue.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) throw new Error('a block of an .xz file was read beyond its end');
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#queue[0]!;
  }

  #drop(count: number): void {
    const first = this.#queue[0]!;
    if (count === first.length) this.#queue.shift();
    else this.#queue[0] = first.subarray(count);
    this.position += count;
    this.#held -= count;
    this.#budget.give(count);
  }

  async #pump(): Promise<void> {
    try {
      for await (const piece of this.#decoding) {
        if (this.#isClosed) break;
        this.#queue.push(piece);
        this.#held += piece.length;
        this.#budget.take(piece.length);
        this.#arrived?.();
        while (this.#mustWait()) await this.#budget.changed();
        if (this.#isClosed) break;
      }
    } catch (error) {
      this.#failure = error;
    }
    this.#ended = true;
    this.#arrived?.();
  }

  /** About as many compressed bytes as what is still wanted takes. */
  #pieceSize(): number {
    const { unpaddedSize, contentSize } = this.#block;
    const left = ((this.#wantedEnd - this.#decodedEnd) * unpaddedSize) / contentSize;
    return Math.max(pieces.least, Math.min(pieces.most, Math.ceil(left)));
  }

  get #decodedEnd(): number {
    return this.position + this.#held;
  }

  #mustWait(): boolean {
    if (this.#isClosed) return false;
    if (this.#decodedEnd >= this.#wantedEnd) return true;
    return this.#budget.isSpent && !(this.#isHead && this.#held <= headShare);
  }
}
