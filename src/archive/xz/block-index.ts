import { crc32 } from 'node:zlib';
import type { SeekableBytes } from '../byte-source.ts';

/** One block of an .xz file: it can be decoded alone. */
export interface XzBlock {
  /** Of its first byte in the file. */
  offset: number;
  /** Its header, data and check, without padding. */
  unpaddedSize: number;
  /** Where its content begins in the whole content, and how long it is. */
  contentOffset: number;
  contentSize: number;
  /** The stream flags: which check its stream uses. */
  flags: Uint8Array;
}

/**
 * The blocks of an .xz file, from the indexes at the ends of its streams, so that nothing is decoded. Source: "The .xz
 * File Format" 1.1.0, sections 2.1.2 and 4.
 * @returns `undefined` for a file whose index cannot be read; decoding it from the beginning tells what is wrong with it
 */
export async function readXzBlocks(file: SeekableBytes): Promise<XzBlock[] | undefined> {
  const streams: StreamBlocks[] = [];
  for (let end = file.size; end > 0; ) {
    const stream = await readStream(file, end);
    if (stream === undefined) return undefined;
    streams.unshift(stream);
    end = stream.start;
  }
  return withContentOffsets(streams);
}

interface StreamBlocks {
  start: number;
  blocks: Omit<XzBlock, 'contentOffset'>[];
}

const headerSize = 12;
const footerSize = 12;

/** An index of 64 MiB stands for some ten million blocks. */
const maxIndexSize = 64 << 20;

/** The stream that ends, with its padding, at `end`. */
async function readStream(file: SeekableBytes, end: number): Promise<StreamBlocks | undefined> {
  const footerEnd = await skipPadding(file, end);
  const footer = await readAt(file, footerEnd - footerSize, footerSize);
  const footerIsWhole =
    footer.toString('latin1', 10) === 'YZ' && crc32(footer.subarray(4, 10)) === footer.readUInt32LE(0);
  if (footer.length < footerSize || !footerIsWhole) return undefined;
  const indexSize = (footer.readUInt32LE(4) + 1) * 4;
  const indexStart = footerEnd - footerSize - indexSize;
  if (indexSize > maxIndexSize || indexStart < headerSize) return undefined;
  const records = decodeIndex(await readAt(file, indexStart, indexSize));
  if (records === undefined) return undefined;
  const blocksSize = records.reduce((sum, { unpaddedSize }) => sum + paddedToFour(unpaddedSize), 0);
  const start = indexStart - blocksSize - headerSize;
  if (start < 0 || !(await isHeader(file, start, footer.subarray(8, 10)))) return undefined;
  const flags = Uint8Array.from(footer.subarray(8, 10));
  let offset = start + headerSize;
  const blocks = records.map((record) => {
    const block = { ...record, offset, flags };
    offset += paddedToFour(record.unpaddedSize);
    return block;
  });
  return { start, blocks };
}

/** Stream padding: zeros, four at a time. */
async function skipPadding(file: SeekableBytes, end: number): Promise<number> {
  let at = end;
  while (at >= 4 && (await readAt(file, at - 4, 4)).readUInt32LE(0) === 0) at -= 4;
  return at;
}

async function isHeader(file: SeekableBytes, offset: number, flags: Uint8Array): Promise<boolean> {
  const header = await readAt(file, offset, headerSize);
  return header.equals(xzStreamHeader(flags));
}

/** What a stream with these flags begins with. */
export function xzStreamHeader(flags: Uint8Array): Buffer {
  const check = Buffer.alloc(4);
  check.writeUInt32LE(crc32(flags));
  return Buffer.concat([Buffer.from('fd377a585a00', 'hex'), flags, check]);
}

/** What ends a stream that holds `block` and nothing else: an index of one record, and a footer. */
export function xzStreamEnd(block: XzBlock): Buffer {
  const records = Buffer.from([
    0,
    1,
    ...encodeVarint(block.unpaddedSize),
    ...encodeVarint(block.contentSize),
  ]);
  const index = Buffer.concat([records, new Uint8Array(paddedToFour(records.length) - records.length)]);
  const backward = Buffer.alloc(6);
  backward.writeUInt32LE((index.length + 4) / 4 - 1);
  backward.set(block.flags, 4);
  const [indexCheck, footerCheck] = [Buffer.alloc(4), Buffer.alloc(4)];
  indexCheck.writeUInt32LE(crc32(index));
  footerCheck.writeUInt32LE(crc32(backward));
  return Buffer.concat([index, indexCheck, footerCheck, backward, Buffer.from('YZ')]);
}

function decodeIndex(index: Buffer): { unpaddedSize: number; contentSize: number }[] | undefined {
  if (index.length < 8 || index[0] !== 0) return undefined;
  if (crc32(index.subarray(0, -4)) !== index.readUInt32LE(index.length - 4)) return undefined;
  const varints = new Varints(index.subarray(0, -4), 1);
  const count = varints.next();
  if (!(count <= index.length)) return undefined;
  const records = Array.from({ length: count }, () => ({
    unpaddedSize: varints.next(),
    contentSize: varints.next(),
  }));
  const sane = records.every(
    ({ unpaddedSize, contentSize }) => unpaddedSize >= 5 && Number.isSafeInteger(contentSize),
  );
  return sane ? records : undefined;
}

/** Section 1.2: seven bits a byte, lowest first, the top bit set on all but the last. Beyond the end there is only NaN. */
export class Varints {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  next(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : Number.NaN;
    }
    return Number.NaN;
  }
}

function encodeVarint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...encodeVarint(Math.floor(value / 0x80))];
}

function withContentOffsets(streams: readonly StreamBlocks[]): XzBlock[] {
  let contentOffset = 0;
  return streams.flatMap(({ blocks }) =>
    blocks.map((block) => {
      const placed = { ...block, contentOffset };
      contentOffset += block.contentSize;
      return placed;
    }),
  );
}

/** Parts of an .xz file take a multiple of four bytes. */
export function paddedToFour(size: number): number {
  return Math.ceil(size / 4) * 4;
}

/** Fewer bytes at the end of the file; none before its beginning. */
async function readAt(file: SeekableBytes, offset: number, length: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  if (offset >= 0) for await (const piece of file.range(offset, length)) pieces.push(piece);
  return Buffer.concat(pieces);
}
