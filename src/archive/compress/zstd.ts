import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { BlockFormat } from './block-format.ts';

/** Levels above this one search windows, and take memory, that the others do not. */
const quickLevels = 12;

/** What a compressor holds for itself, at most. */
const contextMemory = { quick: 16 << 20, thorough: 90 << 20 };

/** The output grows by such pieces: most blocks need far less than their own size. */
const outputPiece = 1 << 20;

/** Each block is a zstd frame with its content's size and checksum (RFC 8878, 3: frames are independent). */
export function zstdBlocks(level: number): BlockFormat {
  const compress = promisify<Uint8Array, object, Buffer>(zstdCompress);
  const quick = level <= quickLevels;
  const blockSize = quick ? 4 << 20 : 8 << 20;
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_contentSizeFlag]: 1,
  };
  return {
    blockSize,
    memory: 2 * blockSize + (quick ? contextMemory.quick : contextMemory.thorough),
    copies: false,
    start: new Uint8Array(0),
    async compress(content) {
      const bytes = await compress(content, {
        chunkSize: outputPiece,
        pledgedSrcSize: content.length,
        params,
      });
      return { bytes, contentSize: content.length, unpaddedSize: bytes.length };
    },
    end: () => new Uint8Array(0),
  };
}
