import { constants, createZstdCompress } from 'node:zlib';

export interface FrameOptions {
  level: number;
  checksum: boolean;
  /** Sizes of the compressor's tables as powers of two, where the level's own are not wanted. */
  tables?: { hashLog: number; chainLog: number };
}

/**
 * One zstd frame with its content's size in its header, made on the thread pool. All of the content is given at once as
 * the whole frame, with room for the worst case: the library then works straight from one buffer into the other, a
 * fifth quicker than through its own. `content` must not change meanwhile.
 */
export async function zstdFrame(
  content: Uint8Array,
  { level, checksum, tables }: FrameOptions,
): Promise<Buffer> {
  const encoder = createZstdCompress({
    flush: constants.ZSTD_e_end,
    chunkSize: compressBound(content.length),
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
      ...(tables && {
        [constants.ZSTD_c_hashLog]: tables.hashLog,
        [constants.ZSTD_c_chainLog]: tables.chainLog,
      }),
    },
  });
  const output: Buffer[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      encoder.on('data', (piece: Buffer) => output.push(piece)).on('error', reject);
      // Not its end, which would add an empty frame.
      encoder.write(content, () => resolve());
    });
  } finally {
    encoder.destroy();
  }
  return output.length === 1 ? output[0]! : Buffer.concat(output);
}

/** What incompressible content becomes, at most (zstd.h, ZSTD_COMPRESSBOUND), and the checksum. */
function compressBound(size: number): number {
  return size + (size >> 8) + 1024;
}
