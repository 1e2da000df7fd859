import { availableParallelism } from 'node:os';
import type { BlockFormat, BlockSizes, CompressedBlock } from './block-format.ts';

/** So many bytes of memory may be used by the blocks that are compressed at the same time. */
const memoryBudget = 256 << 20;

/**
 * Compresses a stream on all cores. The bytes depend on content, format and level alone, not on how the content came in
 * pieces.
 */
export async function* compressStream(
  content: AsyncIterable<Uint8Array>,
  format: BlockFormat,
): AsyncGenerator<Uint8Array> {
  const atOnce = Math.max(1, Math.min(availableParallelism() + 1, Math.floor(memoryBudget / format.memory)));
  const sizes: BlockSizes[] = [];
  const underWay: Promise<CompressedBlock>[] = [];
  const passing = ({ bytes, contentSize, unpaddedSize }: CompressedBlock) => {
    sizes.push({ contentSize, unpaddedSize });
    return bytes;
  };
  yield format.start;
  for await (const block of inBlocks(content, format.blockSize)) {
    if (underWay.length === atOnce) yield passing(await underWay.shift()!);
    const compressed = format.compress(block);
    compressed.catch(() => {}); // It is awaited in its turn; until then it is nobody's.
    underWay.push(compressed);
  }
  for (const compressed of underWay) yield passing(await compressed);
  yield format.end(sizes);
}

/** Full blocks and a last one, each in memory of its own. */
async function* inBlocks(content: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (const piece of content) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + size - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < size) continue;
      yield block;
      block = Buffer.allocUnsafeSlow(size);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
