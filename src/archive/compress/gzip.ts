import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { BlockFormat } from './block-format.ts';

const blockSize = 1 << 20;

/** Each block is a gzip member (RFC 1952, 2.2: "members simply appear one after another in the file"). */
export function gzipBlocks(level: number): BlockFormat {
  const compress = promisify<Uint8Array, object, Buffer>(gzip);
  return {
    blockSize,
    memory: 3 * blockSize,
    copies: false,
    start: new Uint8Array(0),
    async compress(content) {
      const bytes = await compress(content, { level, chunkSize: blockSize });
      return { bytes, contentSize: content.length, unpaddedSize: bytes.length };
    },
    end: () => new Uint8Array(0),
  };
}
