import { availableParallelism, totalmem } from 'node:os';
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

/**
 * Compresses content as it passes, block by block on all cores, into a spool. As many blocks are on their way as there
 * are buffers; who adds more waits.
 */
export class BlockCompressor {
  private readonly format: BlockFormat;
  private readonly spool: Spool;
  private readonly free: Buffer[];
  private readonly waiting: (() => void)[] = [];
  private failure: { error: unknown } | undefined;

  constructor(format: BlockFormat, spool: Spool) {
    this.format = format;
    this.spool = spool;
    const atOnce = Math.max(1, Math.min(availableParallelism(), Math.floor(memoryBudget / format.memory)));
    // One more is filled meanwhile. Memory is not touched before it is used.
    this.free = Array.from({ length: atOnce + 1 }, () => Buffer.allocUnsafeSlow(format.blockSize));
  }

  /** Resolves when all content has been taken; its last blocks may still be on their way. */
  async add(content: AsyncIterable<Uint8Array>): Promise<SpooledContent> {
    const blocks: Promise<SpooledBlock>[] = [];
    let size = 0;
    let buffer: Buffer | undefined;
    let filled = 0;
    for await (const piece of content) {
      for (let at = 0; at < piece.length; ) {
        buffer ??= await this.takeBuffer();
        const part = piece.subarray(at, at + buffer.length - filled);
        buffer.set(part, filled);
        filled += part.length;
        at += part.length;
        if (filled < buffer.length) continue;
        blocks.push(this.compress(buffer, filled));
        [buffer, filled] = [undefined, 0];
      }
      size += piece.length;
    }
    if (buffer !== undefined) blocks.push(this.compress(buffer, filled));
    return { size, blocks };
  }

  /** Frees what was added. */
  async drop({ blocks }: SpooledContent): Promise<void> {
    for (const block of blocks) await this.spool.drop((await block).extent);
  }

  private compress(buffer: Buffer, length: number): Promise<SpooledBlock> {
    const block = this.compressAndSpool(buffer.subarray(0, length)).finally(() => {
      this.free.push(buffer);
      this.waiting.shift()?.();
    });
    block.catch((error: unknown) => {
      this.failure ??= { error };
    });
    return block;
  }

  private async compressAndSpool(content: Uint8Array): Promise<SpooledBlock> {
    const { bytes, contentSize, unpaddedSize } = await this.format.compress(content);
    return { extent: await this.spool.write(bytes), contentSize, unpaddedSize };
  }

  private async takeBuffer(): Promise<Buffer> {
    while (this.free.length === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.failure !== undefined) throw this.failure.error;
    return this.free.pop()!;
  }
}
