import { crc32 } from 'node:zlib';
import { encodeVarint } from './varint.ts';

/**
 * What stands around the blocks of a stream. Source: "The .xz File Format" 1.1.0, sections 2.1 and 4.
 */
export const streamHeaderSize = 12;
export const streamFooterSize = 12;

/** What a stream with these flags (which check its blocks have) begins with. */
export function xzStreamHeader(flags: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('fd377a585a00', 'hex'), flags, littleEndian(crc32(flags))]);
}

/** What ends a stream of these blocks: the index, and a footer. */
export function xzStreamEnd(
  blocks: readonly { unpaddedSize: number; contentSize: number }[],
  flags: Uint8Array,
): Buffer {
  const records = blocks.flatMap(({ unpaddedSize, contentSize }) => [
    encodeVarint(unpaddedSize),
    encodeVarint(contentSize),
  ]);
  const index = padToFour(Buffer.concat([Uint8Array.of(0), encodeVarint(blocks.length), ...records]));
  const backward = Buffer.concat([littleEndian((index.length + 4) / 4 - 1), flags]);
  return Buffer.concat([
    index,
    littleEndian(crc32(index)),
    littleEndian(crc32(backward)),
    backward,
    Buffer.from('YZ'),
  ]);
}

/** Zeros behind it make it a multiple of four bytes. */
export function padToFour(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, new Uint8Array(paddedToFour(bytes.length) - bytes.length)]);
}

/** Parts of an .xz file take a multiple of four bytes. */
export function paddedToFour(size: number): number {
  return Math.ceil(size / 4) * 4;
}

/** Four bytes, as every checksum is written. */
export function littleEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
