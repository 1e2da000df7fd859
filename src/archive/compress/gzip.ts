import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { BlockFormat } from './block-format.ts';

const blockSize = 1 << 20;

/**
 * Readers on containers/image with pgzip before 1.2.6 (podman and skopeo of Debian 12) look at eight bytes of a
 * docker-archive and then lose the rest of the gzip member that those are in: here nothing is left of it. See
 * containers/podman#15944.
 */
const firstBlockSize = 8;

/** Each block is a gzip member (RFC 1952, 2.2: "members simply appear one after another in the file"). */
export function gzipBlocks(level: number): BlockFormat {
  const compress = promisify<Uint8Array, object, Buffer>(gzip);
  return {
    blockSize,
    firstBlockSize,
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
