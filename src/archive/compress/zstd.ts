import type { Transform } from 'node:stream';
import { constants, createZstdCompress } from 'node:zlib';
import type { BlockFormat } from './block-format.ts';

/** Levels above this one search windows, and take memory, that the others do not. */
const quickLevels = 12;

/** What a compressor holds for itself, at most. */
const contextMemory = { quick: 16 << 20, thorough: 90 << 20 };

/**
 * Each block is a zstd frame with its content's size and checksum (RFC 8878, 3: frames are independent). The encoder is told
 * at once that this is all, and has room for the worst case: it then works on the content where it lies, which is a quarter quicker
 * than through its own window.
 */
export function zstdBlocks(level: number): BlockFormat {
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
      const options = { flush: constants.ZSTD_e_end, chunkSize: compressBound(content.length), params };
      const bytes = await written(createZstdCompress(options), content);
      return { bytes, contentSize: content.length, unpaddedSize: bytes.length };
    },
    end: () => new Uint8Array(0),
  };
}

/** What incompressible content becomes, at most (zstd.h, ZSTD_COMPRESSBOUND), and the checksum. */
function compressBound(size: number): number {
  return size + (size >> 8) + 1024;
}

/** The one frame that one write makes. The encoder is not ended, for that would add an empty frame. */
async function written(encoder: Transform, content: Uint8Array): Promise<Uint8Array> {
  try {
    return await new Promise((resolve, reject) => {
      encoder.on('data', resolve).on('error', reject);
      encoder.write(content);
    });
  } finally {
    encoder.destroy();
  }
}
