import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import type { BlockFormat } from './block-format.ts';

const blockSize = 8 << 20;

/** What a compressor holds for itself at the highest level, with a window no larger than the block. */
const contextMemory = 90 << 20;

/** Each block is a zstd frame with its content's size and checksum (RFC 8878, 3: frames are independent). */
export function zstdBlocks(level: number): BlockFormat {
  const compress = promisify<Uint8Array, object, Buffer>(zstdCompress);
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
    [constants.ZSTD_c_contentSizeFlag]: 1,
  };
  return {
    blockSize,
    memory: 2 * blockSize + (level > 12 ? contextMemory : blockSize),
    start: new Uint8Array(0),
    async compress(content) {
      // One call into the library a block: its output buffer holds whatever a block can become.
      const chunkSize = Math.max(1 << 16, content.length + (content.length >> 8) + 512);
      const bytes = await compress(content, { chunkSize, pledgedSrcSize: content.length, params });
      return { bytes: tight(bytes), contentSize: content.length, unpaddedSize: bytes.length };
    },
    end: () => new Uint8Array(0),
  };
}

/** A copy that does not keep the whole output buffer alive. */
function tight(bytes: Buffer): Buffer {
  return bytes.length < bytes.buffer.byteLength / 2 ? Buffer.from(bytes) : bytes;
}
