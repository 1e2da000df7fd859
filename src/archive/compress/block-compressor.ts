import { availableParallelism, totalmem } from 'node:os';
import { collectRarely } from '../../support/collect-rarely.ts';
import { freeNow } from '../../support/free-now.ts';
import { returnLargeBlocks } from '../../support/posix/malloc.ts';
import type { Extent, Spool } from '../spool.ts';
import type { BlockFormat, BlockSizes } from './block-format.ts';

/** Content that was compressed and set aside. */
export interface SpooledContent {
  /** Bytes of content. */
  size: number;
  /** In order; each is settled when it lies in the spool. */
  blocks: Promise<SpooledBlock>[];
}

export interface SpooledBlock extends BlockSizes {
  extent: Extent;
}

/** Two blocks of xz fit; a host with much memory and many cores may use a sixteenth of it. */
const memoryBudget = Math.max(224 << 20, totalmem() / 16);

/** Blocks that take so little memory, in bytes, leave room for one more of them, and for garbage. */
const smallBlock = 32 << 20;

/**
 * Compresses content as it passes, block by block on all cores, into a spool. Who adds more than the cores can take
 * waits.
 */
export class BlockCompressor {
  readonly #format: BlockFormat;
  readonly #spool: Spool;
  readonly #atOnce: number;
  /** Where content is collected; as many as are needed at a time. */
  readonly #free: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;
  #failure: { error: unknown } | undefined;

  constructor(format: BlockFormat, spool: Spool) {
    returnLargeBlocks(); // What an encoder takes for a block must not stay with the process after it.
    this.#format = format;
    this.#spool = spool;
    const isSmall = format.memory <= smallBlock;
    const cores = availableParallelism() + (isSmall ? 1 : 0); // One more is compressed while one is being written.
    this.#atOnce = Math.max(1, Math.min(cores, Math.floor(memoryBudget / format.memory)));
    if (isSmall) collectRarely();
  }

  /** Resolves when all content has been taken; its last blocks may still be on their way. */
  async add(content: AsyncIterable<Uint8Array>): Promise<SpooledContent> {
    const blocks: Promise<SpooledBlock>[] = [];
    let size = 0;
    let buffer: Buffer | undefined;
    let filled = 0;
    for await (const piece of content) {
      for (let at = 0; at < piece.length; ) {
        buffer ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#format.blockSize);
        const part = piece.subarray(at, at + buffer.length - filled);
        buffer.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < buffer.length) continue;
        await this.#turn();
        blocks.push(this.#compress(buffer, filled));
        [buffer, filled] = [undefined, 0];
      }
      size += piece.length;
    }
    if (buffer !== undefined) {
      await this.#turn();
      blocks.push(this.#compress(buffer, filled));
    }
    return { size, blocks };
  }

  /** Frees what was added. */
  async drop({ blocks }: SpooledContent): Promise<void> {
    for (const block of blocks) await this.#spool.drop((await block).extent);
  }

  #compress(buffer: Buffer, length: number): Promise<SpooledBlock> {
    this.#underWay += 1;
    const spooled = this.#compressAndSpool(buffer.subarray(0, length));
    if (this.#format.copies) this.#free.push(buffer);
    const block = spooled.finally(() => {
      if (!this.#format.copies) this.#free.push(buffer);
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    });
    block.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    return block;
  }

  async #compressAndSpool(content: Uint8Array): Promise<SpooledBlock> {
    const { bytes, contentSize, unpaddedSize } = await this.#format.compress(content);
    const extent = await this.#spool.write(bytes);
    if (bytes.buffer !== content.buffer) freeNow(bytes);
    return { extent, contentSize, unpaddedSize };
  }

  async #turn(): Promise<void> {
    while (this.#underWay >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
