import { availableParallelism } from 'node:os';
import { collectRarely } from '../../support/collect-rarely.ts';
import type { SeekableBytes } from '../byte-source.ts';
import { maxDictionary } from '../decompress.ts';
import { decodeXzBlock, dictionarySize } from './block.ts';
import { readXzBlocks, type XzBlock } from './block-index.ts';
import { type BlockDecoder, BlockRun, Budget } from './block-run.ts';

/**
 * The content of an .xz file of many blocks, at any offset. Reading forward is cheap, jumping costs up to one block.
 */
export interface SeekableXz extends SeekableBytes {
  /** Tells which ranges will be read, in rising order, so that blocks are decoded ahead, in parallel. */
  expect(ranges: readonly Range[]): void;
  close(): Promise<void>;
}

export interface Range {
  offset: number;
  length: number;
}

interface ExpectedBlock {
  index: number;
  /** Offset in the whole content. */
  end: number;
}

/** Dictionaries of the blocks that are decoded at the same time, in bytes. */
const maxDictionaries = 128 << 20;

/**
 * Decoded bytes that wait for their reader, of all blocks together: what dictionaries leave of `maxMemory`, within
 * bounds.
 */
const maxMemory = 144 << 20;
const ahead = { least: 16 << 20, most: 48 << 20 };

/** Of `xz -6`: with larger ones there is no memory to spare for a heap that grows. */
const usualDictionary = 8 << 20;

/** Of a file with more blocks not every header is read beforehand. */
const maxHeadersRead = 10_000;

/**
 * @param name names the file in errors
 * @returns `undefined` when the file is one single block, or its index cannot be read: it is then read from the
 * beginning
 */
export async function openSeekableXz(file: SeekableBytes, name: string): Promise<SeekableXz | undefined> {
  const blocks = (await readXzBlocks(file))?.filter(({ contentSize }) => contentSize > 0);
  if (blocks === undefined || blocks.length < 2) return undefined;
  const dictionary = await largestDictionary(file, blocks);
  if (dictionary <= usualDictionary) collectRarely();
  const atOnce = Math.max(1, Math.min(availableParallelism() + 1, Math.floor(maxDictionaries / dictionary)));
  const memory = Math.max(ahead.least, Math.min(ahead.most, maxMemory - atOnce * dictionary));
  return new XzContent(blocks, { atOnce, ahead: memory }, (block, pieceSize) =>
    decodeXzBlock(file, block, name, pieceSize),
  );
}

/** Blocks of streams that were put together may differ. */
async function largestDictionary(file: SeekableBytes, blocks: readonly XzBlock[]): Promise<number> {
  if (blocks.length > maxHeadersRead) return maxDictionary;
  let largest = 1;
  for (const block of blocks)
    if (block.contentSize > largest) largest = Math.max(largest, await dictionarySize(file, block));
  return largest;
}

class XzContent implements SeekableXz {
  readonly size: number;
  readonly #blocks: readonly XzBlock[];
  readonly #atOnce: number;
  readonly #decode: BlockDecoder;
  /** The blocks that will be read, in order, and up to where. */
  #expected: ExpectedBlock[] = [];
  readonly #running = new Map<number, BlockRun>();
  readonly #closing = new Set<Promise<void>>();
  readonly #budget: Budget;

  constructor(
    blocks: readonly XzBlock[],
    { atOnce, ahead }: { atOnce: number; ahead: number },
    decode: BlockDecoder,
  ) {
    const last = blocks.at(-1)!;
    this.size = last.contentOffset + last.contentSize;
    this.#blocks = blocks;
    this.#atOnce = atOnce;
    this.#budget = new Budget(ahead);
    this.#decode = decode;
  }

  expect(ranges: readonly Range[]): void {
    const ends = new Map<number, number>();
    for (const { offset, length } of ranges.filter(({ length }) => length > 0)) {
      const end = offset + length;
      const last = this.#blockAt(end - 1);
      for (let index = this.#blockAt(offset); index < last; index++) ends.set(index, this.#endOf(index));
      ends.set(last, end);
    }
    this.#expected = [...ends].map(([index, end]) => ({ index, end }));
    if (this.#running.size === 0) this.#startExpected();
  }

  async *range(offset: number, length: number): AsyncGenerator<Uint8Array> {
    const end = Math.min(offset + length, this.size);
    for (let at = offset; at < end; ) {
      const run = await this.#runAt(at, end);
      await run.skipTo(at);
      const piece = await run.next(end - at);
      at += piece.length;
      yield piece;
    }
  }

  async close(): Promise<void> {
    this.#forget(() => true);
    await Promise.all(this.#closing);
  }

  /**
   * A decoder that stands at `offset` or before it, in the same block: one that runs already, when it has not passed
   * it.
   */
  async #runAt(offset: number, end: number): Promise<BlockRun> {
    const index = this.#blockAt(offset);
    this.#forget((other, run) => other < index || (other === index && run.position > offset));
    while (this.#expected[0] !== undefined && this.#expected[0].index <= index) this.#expected.shift();
    if (!this.#running.has(index)) await this.#roomForOneMore();
    const run = this.#running.get(index) ?? this.#start(index);
    run.becomeHead(Math.min(end, this.#endOf(index)));
    this.#startExpected();
    return run;
  }

  #startExpected(): void {
    for (const { index, end } of this.#expected.slice(0, this.#atOnce - 1))
      if (!this.#running.has(index)) this.#start(index).want(end);
  }

  #start(index: number): BlockRun {
    const run = new BlockRun(this.#blocks[index]!, this.#decode, this.#budget);
    this.#running.set(index, run);
    return run;
  }

  /** A decoder that was told to stop keeps its dictionary until it has. */
  async #roomForOneMore(): Promise<void> {
    while (this.#closing.size > 0 && this.#running.size + this.#closing.size >= this.#atOnce)
      await Promise.race(this.#closing);
  }

  /** Nobody waits here for a decoder that is not needed any more. */
  #forget(isDone: (index: number, run: BlockRun) => boolean): void {
    for (const [index, run] of this.#running) {
      if (!isDone(index, run)) continue;
      this.#running.delete(index);
      const closing = run.close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
  }

  #endOf(index: number): number {
    const { contentOffset, contentSize } = this.#blocks[index]!;
    return contentOffset + contentSize;
  }

  #blockAt(offset: number): number {
    let [low, high] = [0, this.#blocks.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#blocks[middle]!.contentOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
