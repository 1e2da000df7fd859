import { type Duplex, Readable } from 'node:stream';
import { startChild } from '../support/child.ts';
import { codeOf, DamagedError, DockerctlError, FailedError, messageOf } from '../support/errors.ts';
import type { Compression } from './codec.ts';
import { decodeXz } from './xz/decoder.ts';

/**
 * The bytes that `compressed` stands for, checked as far as the codec's own checksums go. Memory stays flat however far
 * a little input expands.
 * @param what names the input in errors
 * @param xzPieceSize of the next piece of xz data that is decoded at once; larger where the header bounds what it
 * becomes
 * @throws {DamagedError} for anything but whole, undamaged streams (concatenated ones are read one after the other)
 */
export async function* decompress(
  codec: Compression,
  compressed: AsyncIterable<Uint8Array>,
  what: string,
  xzPieceSize = () => unknownXzPieceSize,
): AsyncGenerator<Uint8Array> {
  try {
    yield* codec === 'xz' ? decodeXz(compressed, maxDictionary, xzPieceSize) : decoders[codec](compressed);
  } catch (error) {
    throw asDamage(error, codec, what);
  }
}

/** The most that a decoder may hold for its window or dictionary, in bytes: `xz -9` and `zstd --long=27` fit. */
export const maxDictionary = 160 << 20;
const maxZstdWindowLog = 27;

/** For xz whose expansion nobody knows beforehand. */
const unknownXzPieceSize = 8 << 10;

/** So much is decoded ahead of whoever reads, in bytes: decoder and reader then work at the same time. */
const buffering = { chunkSize: 1 << 20, highWaterMark: 8 << 20 };

const decoders: Record<
  Exclude<Compression, 'xz'>,
  (compressed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>
> = {
  async *gzip(compressed) {
    const { createGunzip } = await import('node:zlib');
    yield* through(createGunzip(buffering), compressed);
  },
  async *zstd(compressed) {
    const { constants, createZstdDecompress } = await import('node:zlib');
    const params = { [constants.ZSTD_d_windowLogMax]: maxZstdWindowLog };
    yield* through(createZstdDecompress({ ...buffering, params }), compressed);
  },
  bzip2: bzip2Program,
};

async function* through(decoder: Duplex, compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = Readable.from(compressed, { highWaterMark: 1 });
  input.on('error', (error) => decoder.destroy(error));
  try {
    yield* input.pipe(decoder);
  } finally {
    input.destroy();
    decoder.destroy();
  }
}

/** No decoder for node is both fast and kept; the program is on every host that unpacks .bz2 files at all. */
async function* bzip2Program(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const child = startChild(['bzip2', '-dc'], { signal: stop.signal });
  const input = Readable.from(compressed, { highWaterMark: 1 });
  input.on('error', (error) => child.stdout.destroy(error));
  try {
    input.pipe(child.stdin);
    yield* child.stdout;
    const { code, stderr } = await child.exited.catch((cause: unknown) => {
      const advice = 'Install bzip2, or convert the archive with bunzip2 where it is installed';
      throw new FailedError('decompressing needs the program bzip2', { advice, cause });
    });
    if (code !== 0)
      throw Object.assign(new Error(stderr.trim().split('\n')[0]), { code: 'BZIP2_DATA_ERROR' });
  } finally {
    input.destroy();
    stop.abort();
  }
}

/** What a decoder says is about the input; what the input's own source throws is passed on. */
function asDamage(error: unknown, codec: Compression, what: string): unknown {
  if (error instanceof DockerctlError) return error;
  const code = codeOf(error) ?? (error as Error).name;
  if (code === 'Z_BUF_ERROR' || code === 'LZMA_BUF_ERROR') {
    return new DamagedError(`${what}: the ${codec} data ends too early`, { advice: copyAgain, cause: error });
  }
  if (code === 'LZMA_MEMLIMIT_ERROR' || code === 'ZSTD_error_frameParameter_windowTooLarge') {
    const advice = 'Compress it again with a smaller dictionary: xz -9 and zstd --long=27 are the largest';
    return new DamagedError(`${what}: needs a ${codec} dictionary that is too large`, {
      advice,
      cause: error,
    });
  }
  if (!/^(Z|LZMA|ZSTD|BZIP2)_/.test(code)) return error;
  const message = `${what}: the ${codec} data is damaged (${messageOf(error)})`;
  return new DamagedError(message, { advice: copyAgain, cause: error });
}

const copyAgain = 'Copy the file again from where it came from, and compare the sizes';
