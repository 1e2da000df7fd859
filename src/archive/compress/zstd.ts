import type { BlockFormat } from './block-format.ts';
import { zstdFrame } from './zstd-frame.ts';

/** Levels above this one search windows, and take memory, that the others do not. */
const quickLevels = 12;

/** What a compressor holds for itself, at most. */
const contextMemory = { quick: 16 << 20, thorough: 90 << 20 };

/** Each block is a zstd frame with its content's size and checksum (RFC 8878, 3: frames are independent). */
export function zstdBlocks(level: number): BlockFormat {
  const quick = level <= quickLevels;
  const blockSize = quick ? 4 << 20 : 8 << 20;
  return {
    blockSize,
    memory: 2 * blockSize + (quick ? contextMemory.quick : contextMemory.thorough),
    copies: false,
    start: new Uint8Array(0),
    async compress(content) {
      const bytes = await zstdFrame(content, { level, checksum: true });
      return { bytes, contentSize: content.length, unpaddedSize: bytes.length };
    },
    end: () => new Uint8Array(0),
  };
}
