import { availableParallelism } from 'node:os';
import type { SeekableBytes } from './byte-source.ts';
import { decodeXzBlock, dictionarySize } from './xz-block.ts';
import { readXzBlocks, type XzBlock } from './xz-index.ts';

/** The content of an .xz file of many blocks, at any offset. Reading forward is cheap, jumping costs up to one block. */
export interface SeekableXz extends SeekableBytes {
  /** Tells which ranges will be read, in rising order, so that blocks are decoded ahead, in parallel. */
  expect(ranges: readonly Range[]): void;
  close(): Promise<void>;
}

export interface Range {
  offset: number;
  length: number;
}

/** Decoded bytes that wait for their reader, of all blocks together. */
const maxAhead = 48 << 20;

/** Dictionaries of the blocks that are decoded at the same time, in bytes. */
const maxDictionaries = 128 << 20;

/**
 * @param name names the file in errors
 * @returns `undefined` when the file is one single block, or its index cannot be read: it is then read from the beginning
 */
export async function openSeekableXz(file: SeekableBytes, name: string): Promise<SeekableXz | undefined> {
  const blocks = (await readXzBlocks(file))?.filter(({ contentSize }) => contentSize > 0);
  if (blocks === undefined || blocks.length < 2) return undefined;
  const dictionary = Math.max(1, await dictionarySize(file, blocks[0]!));
  const atOnce = Math.max(1, Math.min(availableParallelism() + 1, Math.floor(maxDictionaries / dictionary)));
  return new XzContent(blocks, atOnce, (block) => decodeXzBlock(file, block, name));
}

class XzContent implements SeekableXz {
  readonly size: number;
  private readonly blocks: readonly XzBlock[];
  private readonly atOnce: number;
  private readonly decode: (block: XzBlock) => AsyncGenerator<Uint8Array>;
  /** Indexes of the blocks that will be read, in order. */
  private expected: number[] = [];
  private readonly running = new Map<number, BlockRun>();
  private readonly budget = new Budget(maxAhead);

  constructor(
    blocks: readonly XzBlock[],
    atOnce: number,
    decode: (block: XzBlock) => AsyncGenerator<Uint8Array>,
  ) {
    const last = blocks.at(-1)!;
    this.size = last.contentOffset + last.contentSize;
    this.blocks = blocks;
    this.atOnce = atOnce;
    this.decode = decode;
  }

  expect(ranges: readonly Range[]): void {
    const needed = ranges
      .filter(({ length }) => length > 0)
      .flatMap(({ offset, length }) =>
        numbersBetween(this.blockAt(offset), this.blockAt(offset + length - 1)),
      );
    this.expected = [...new Set(needed)];
  }

  async *range(offset: number, length: number): AsyncGenerator<Uint8Array> {
    const end = Math.min(offset + length, this.size);
    for (let at = offset; at < end; ) {
      const run = await this.runAt(at);
      const piece = await run.next(end - at);
      at += piece.length;
      yield piece;
    }
  }

  async close(): Promise<void> {
    const runs = [...this.running.values()];
    this.running.clear();
    await Promise.all(runs.map((run) => run.close()));
  }

  /** A decoder that stands at `offset`: one that runs already, when it has not passed it. */
  private async runAt(offset: number): Promise<BlockRun> {
    const index = this.blockAt(offset);
    await this.forget((other, run) => other < index || (other === index && run.position > offset));
    while (this.expected[0] !== undefined && this.expected[0] <= index) this.expected.shift();
    const run = this.running.get(index) ?? this.start(index);
    run.becomeHead();
    for (const next of this.expected.slice(0, this.atOnce - 1)) if (!this.running.has(next)) this.start(next);
    await run.skipTo(offset);
    return run;
  }

  private start(index: number): BlockRun {
    const block = this.blocks[index]!;
    const run = new BlockRun(block, this.decode(block), this.budget);
    this.running.set(index, run);
    return run;
  }

  private async forget(isDone: (index: number, run: BlockRun) => boolean): Promise<void> {
    for (const [index, run] of this.running) {
      if (!isDone(index, run)) continue;
      this.running.delete(index);
      await run.close();
    }
  }

  private blockAt(offset: number): number {
    let [low, high] = [0, this.blocks.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.blocks[middle]!.contentOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function numbersBetween(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** What all blocks that are decoded ahead may hold together. */
class Budget {
  private left: number;
  private waiting: (() => void)[] = [];

  constructor(bytes: number) {
    this.left = bytes;
  }

  take(bytes: number): void {
    this.left -= bytes;
  }

  give(bytes: number): void {
    this.left += bytes;
    this.wake();
  }

  wake(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  get isSpent(): boolean {
    return this.left <= 0;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** The block that is being read may hold so much in any case; others live on the budget. */
const headShare = 4 << 20;

/** One block being decoded, into a queue. */
class BlockRun {
  /** Offset, in the whole content, of the next byte that `next` gives. */
  position: number;
  private readonly decoding: AsyncGenerator<Uint8Array>;
  private readonly budget: Budget;
  private readonly pumping: Promise<void>;
  private queue: Uint8Array[] = [];
  private held = 0;
  private isHead = false;
  private isClosed = false;
  private ended = false;
  private failure: unknown;
  private arrived: (() => void) | undefined;

  constructor(block: XzBlock, decoding: AsyncGenerator<Uint8Array>, budget: Budget) {
    this.position = block.contentOffset;
    this.decoding = decoding;
    this.budget = budget;
    this.pumping = this.pump();
  }

  /** The next bytes, at most `max`; at least one, for readers know where the block ends. */
  async next(max: number): Promise<Uint8Array> {
    while (this.queue.length === 0) {
      if (this.failure !== undefined) throw this.failure;
      if (this.ended) throw new Error('a block of an .xz file was read beyond its end');
      await new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
    }
    const first = this.queue[0]!;
    const piece = first.subarray(0, max);
    if (piece.length === first.length) this.queue.shift();
    else this.queue[0] = first.subarray(max);
    this.position += piece.length;
    this.held -= piece.length;
    this.budget.give(piece.length);
    return piece;
  }

  async skipTo(offset: number): Promise<void> {
    while (this.position < offset) await this.next(offset - this.position);
  }

  becomeHead(): void {
    if (this.isHead) return;
    this.isHead = true;
    this.budget.wake();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.budget.give(this.held);
    this.held = 0;
    this.queue = [];
    await this.pumping;
  }

  private async pump(): Promise<void> {
    try {
      for await (const piece of this.decoding) {
        if (this.isClosed) break;
        this.queue.push(piece);
        this.held += piece.length;
        this.budget.take(piece.length);
        this.arrived?.();
        while (this.mustWait()) await this.budget.changed();
        if (this.isClosed) break;
      }
    } catch (error) {
      this.failure = error;
    }
    this.ended = true;
    this.arrived?.();
  }

  private mustWait(): boolean {
    if (this.isClosed || !this.budget.isSpent) return false;
    return !this.isHead || this.held > headShare;
  }
}
