import { crc32 } from 'node:zlib';
import type { SeekableBytes } from '../byte-source.ts';
import { paddedToFour, streamFooterSize, streamHeaderSize, xzStreamHeader } from './stream-frame.ts';
import { Varints } from './varint.ts';

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
 * @returns `undefined` for a file whose index cannot be read; decoding it from the beginning tells what is wrong with
 * it
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

/** An index of 64 MiB stands for some ten million blocks. */
const maxIndexSize = 64 << 20;

/** The stream that ends, with its padding, at `end`. */
async function readStream(file: SeekableBytes, end: number): Promise<StreamBlocks | undefined> {
  const footerEnd = await skipPadding(file, end);
  const footer = await readAt(file, footerEnd - streamFooterSize, streamFooterSize);
  const footerIsWhole =
    footer.toString('latin1', 10) === 'YZ' && crc32(footer.subarray(4, 10)) === footer.readUInt32LE(0);
  if (footer.length < streamFooterSize || !footerIsWhole) return undefined;
  const indexSize = (footer.readUInt32LE(4) + 1) * 4;
  const indexStart = footerEnd - streamFooterSize - indexSize;
  if (indexSize > maxIndexSize || indexStart < streamHeaderSize) return undefined;
  const records = decodeIndex(await readAt(file, indexStart, indexSize));
  if (records === undefined) return undefined;
  const blocksSize = records.reduce((sum, { unpaddedSize }) => sum + paddedToFour(unpaddedSize), 0);
  const start = indexStart - blocksSize - streamHeaderSize;
  if (start < 0 || !(await isHeader(file, start, footer.subarray(8, 10)))) return undefined;
  const flags = Uint8Array.from(footer.subarray(8, 10));
  let offset = start + streamHeaderSize;
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
  const header = await readAt(file, offset, streamHeaderSize);
  return header.equals(xzStreamHeader(flags));
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

/** Fewer bytes at the end of the file; none before its beginning. */
async function readAt(file: SeekableBytes, offset: number, length: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  if (offset >= 0) for await (const piece of file.range(offset, length)) pieces.push(piece);
  return Buffer.concat(pieces);
}
