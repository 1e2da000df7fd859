import { DamagedError } from '../../support/errors.ts';
import { zstdHeader, zstdMagic } from './zstd-header.ts';

/** Bytes from an offset on; fewer where there are no more. */
type Read = (offset: number, length: number) => Promise<Uint8Array>;

/**
 * How many bytes a zstd frame takes, found by going from block to block without decompressing any; 0 when there are
 * none. Source: RFC 8878, section 3.1.1.
 * @param limit of bytes
 * @throws {DamagedError} naming `what` when it is no frame, is cut, or takes more than `limit`
 */
export async function frameLength(read: Read, limit: number, what: string): Promise<number> {
  const begin = await readView(read, 0, 5);
  if (begin.byteLength === 0) return 0;
  if (begin.byteLength < 5 || begin.getUint32(0, true) !== zstdMagic) throw noFrame(what);
  const { length, checksum } = zstdHeader(begin.getUint8(4));
  for (let at = length; at <= limit; ) {
    const header = await readView(read, at, 3);
    if (header.byteLength < 3) break;
    const block = header.getUint16(0, true) | (header.getUint8(2) << 16);
    const isRunLength = ((block >> 1) & 0b11) === 1;
    at += 3 + (isRunLength ? 1 : block >> 3);
    if ((block & 1) === 1) return at + checksum;
  }
  throw noFrame(what);
}

async function readView(read: Read, offset: number, length: number): Promise<DataView> {
  const { buffer, byteOffset, byteLength } = await read(offset, length);
  return new DataView(buffer, byteOffset, byteLength);
}

function noFrame(what: string): DamagedError {
  return new DamagedError(`reading ${what}: it is not a whole zstd frame`);
}
