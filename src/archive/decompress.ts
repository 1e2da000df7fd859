import { Duplex, Readable } from 'node:stream';
import { startChild } from '../support/child.ts';
import { codeOf, DamagedError, DockerctlError, FailedError, messageOf } from '../support/errors.ts';
import type { Compression } from './codec.ts';
import { createXzDecoder } from './xz-decoder.ts';

/**
 * The bytes that `compressed` stands for, checked as far as the codec's own checksums go. Memory stays flat however far a
 * little input expands.
 * @param what names the input in errors
 * @throws {DamagedError} for anything but whole, undamaged streams (concatenated ones are read one after the other)
 */
export async function* decompress(
  codec: Compression,
  compressed: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  const { stream, finished, release } = await decoders[codec]();
  const input = Readable.from(inSmallPieces(compressed, pieceSizes[codec]), { highWaterMark: 1 });
  input.on('error', (error) => stream.destroy(error));
  try {
    for await (const piece of input.pipe(stream)) yield piece as Uint8Array;
    await finished?.();
  } catch (error) {
    throw asDamage(error, codec, what);
  } finally {
    input.destroy();
    stream.destroy();
    release?.();
  }
}

/** The most that a decoder may hold for its window or dictionary, in bytes: `xz -9` and `zstd --long=27` fit. */
const maxDictionary = 160 << 20;
const maxZstdWindowLog = 27;

/**
 * lzma-native decodes a whole piece of input before it can be stopped, and a piece may expand 7,000 times; node's
 * own decoders stop after every buffer of output.
 */
const pieceSizes: Record<Compression, number> = { gzip: 1 << 18, zstd: 1 << 18, bzip2: 1 << 16, xz: 1 << 14 };

const outputSize = 1 << 18;

async function* inSmallPieces(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    for (let at = 0; at < piece.length; at += size) yield piece.subarray(at, at + size);
  }
}

interface Decoder {
  stream: Duplex;
  /** Asks, once all output is read, whether that was all. */
  finished?: () => Promise<void>;
  /** Gives back what the garbage collector does not see. */
  release?: () => void;
}

const decoders: Record<Compression, () => Promise<Decoder>> = {
  async gzip() {
    const { createGunzip } = await import('node:zlib');
    return { stream: createGunzip({ chunkSize: outputSize }) };
  },
  async zstd() {
    const { constants, createZstdDecompress } = await import('node:zlib');
    const params = { [constants.ZSTD_d_windowLogMax]: maxZstdWindowLog };
    return { stream: createZstdDecompress({ chunkSize: outputSize, params }) };
  },
  async xz() {
    return await createXzDecoder(maxDictionary);
  },
  async bzip2() {
    return bzip2Program();
  },
};

/** No decoder for node is both fast and kept; the program is on every host that unpacks .bz2 files at all. */
function bzip2Program(): Decoder {
  const stop = new AbortController();
  const child = startChild(['bzip2', '-dc'], { signal: stop.signal });
  return {
    stream: Duplex.from({ writable: child.stdin, readable: child.stdout } as never),
    async finished() {
      const { code, stderr } = await child.exited.catch((error: unknown) => {
        const advice = 'Install bzip2, or convert the archive with bunzip2 where it is installed.';
        throw new FailedError('decompressing needs the program bzip2', { advice, cause: error });
      });
      if (code !== 0)
        throw Object.assign(new Error(stderr.trim().split('\n')[0]), { code: 'BZIP2_DATA_ERROR' });
    },
    release: () => stop.abort(),
  };
}

/** What a decoder says is about the input; what the input's own source throws is passed on. */
function asDamage(error: unknown, codec: Compression, what: string): unknown {
  if (error instanceof DockerctlError) return error;
  const code = codeOf(error) ?? (error as Error).name;
  if (code === 'Z_BUF_ERROR' || code === 'LZMA_BUF_ERROR') {
    return new DamagedError(`${what}: the ${codec} data ends too early`, { advice: copyAgain, cause: error });
  }
  if (code === 'LZMA_MEMLIMIT_ERROR' || code === 'ZSTD_error_frameParameter_windowTooLarge') {
    const advice = 'Compress it again with a smaller dictionary: xz -9 and zstd --long=27 are the largest.';
    return new DamagedError(`${what}: needs a ${codec} dictionary that is too large`, {
      advice,
      cause: error,
    });
  }
  if (!/^(Z|LZMA|ZSTD|BZIP2)_/.test(code)) return error;
  const message = `${what}: the ${codec} data is damaged (${messageOf(error)})`;
  return new DamagedError(message, { advice: copyAgain, cause: error });
}

export const copyAgain = 'Copy the file again from where it came from, and compare the sizes.';
