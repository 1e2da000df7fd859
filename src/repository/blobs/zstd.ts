import { promisify } from 'node:util';
import { constants, zstdCompressSync, zstdDecompress } from 'node:zlib';
import { type FrameOptions, zstdFrame } from '../../archive/compress/zstd-frame.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import { zstdHeader, zstdMagic } from './zstd-header.ts';

const decompressAsync = promisify(zstdDecompress);

/**
 * The programs' own default, its tables made small enough for a core's own cache: as quick as level 2 that way, and 2 %
 * smaller.
 */
const usual = { level: 3, tables: { hashLog: 15, chainLog: 14 } };
const quick = { level: 2 };

export type Effort = Pick<FrameOptions, 'level' | 'tables'>;

/** One zstd frame, made on the thread pool. */
export function compress(bytes: Uint8Array, effort: Effort = usual): Promise<Buffer> {
  return zstdFrame(bytes, { ...effort, checksum: false });
}

/**
 * @param size of the result in bytes where it is known; at most `limit`
 * @throws {DamagedError} naming `what`, also when there is more inside than `limit`
 */
export async function decompress(
  bytes: Uint8Array,
  limit: number,
  what: string,
  size?: number,
): Promise<Buffer> {
  try {
    return await decompressAsync(bytes, {
      chunkSize: Math.max(64, Math.min(limit, size ?? contentSize(bytes) ?? bytes.length * 4) + 1),
      maxOutputLength: limit,
    });
  } catch (error) {
    throw new DamagedError(`decompressing ${what}: ${messageOf(error)}`, { cause: error });
  }
}

/** What a frame says of its size in bytes, which is only a hint. Source: RFC 8878, section 3.1.1.1. */
function contentSize(frame: Uint8Array): number | undefined {
  const { buffer, byteOffset, length } = frame;
  if (length < longestHeader) return undefined;
  const view = new DataView(buffer, byteOffset, length);
  const { at, bytes: width } = zstdHeader(view.getUint8(4)).contentSize;
  switch (width) {
    case 0:
      return undefined;
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}

const longestHeader = 18;

/**
 * What is worth its time, judged by three samples; `undefined` for content that does not compress. What hardly does
 * takes twice as long with the usual effort as with the quick one, and becomes 1 % smaller.
 */
export function worthwhileEffort(bytes: Uint8Array): Effort | undefined {
  const length = 8 * 1024;
  if (bytes.length < 16 * length) return usual;
  const samples = Buffer.concat([1, 3, 5].map((sixth) => sampleAt(bytes, sixth, length)));
  const packed = zstdCompressSync(samples, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const ratio = packed.length / samples.length;
  if (ratio >= 0.95) return undefined;
  return ratio > 0.5 ? quick : usual;
}

function sampleAt(bytes: Uint8Array, sixth: number, length: number): Uint8Array {
  const from = Math.floor((bytes.length * sixth) / 6);
  return bytes.subarray(from, from + length);
}

/** A zstd frame that holds `bytes` as they are. Source: RFC 8878, sections 3.1.1 and 3.1.1.2. */
export function storeRaw(bytes: Uint8Array): Buffer {
  const largest = 128 * 1024;
  const blocks = Math.max(1, Math.ceil(bytes.length / largest));
  const frame = Buffer.allocUnsafe(9 + blocks * 3 + bytes.length);
  frame.writeUInt32LE(zstdMagic, 0);
  frame.writeUInt8(singleSegmentWithFourByteSize, 4);
  frame.writeUInt32LE(bytes.length, 5);
  let at = 9;
  for (let from = 0, block = 1; block <= blocks; block++, from += largest) {
    const piece = bytes.subarray(from, from + largest);
    frame.writeUIntLE((piece.length << 3) | (block === blocks ? 1 : 0), at, 3);
    frame.set(piece, at + 3);
    at += 3 + piece.length;
  }
  return frame;
}

const singleSegmentWithFourByteSize = 0b1010_0000;
