import type { SeekableBytes } from '../byte-source.ts';
import { decompress, maxDictionary } from '../decompress.ts';
import type { XzBlock } from './block-index.ts';
import { paddedToFour, xzStreamEnd, xzStreamHeader } from './stream-frame.ts';
import { Varints } from './varint.ts';

/**
 * Decodes one block. Around it are put the header and the end of a stream that holds nothing else, so that liblzma
 * checks all of it: header, content, check and sizes.
 * @param pieceSize tells how many bytes to decode next, where the block's header bounds what they become
 * @throws {DamagedError} naming where the block lies
 */
export async function* decodeXzBlock(
  file: SeekableBytes,
  block: XzBlock,
  name: string,
  pieceSize: () => number,
): AsyncGenerator<Uint8Array> {
  const what = `${name}: block at byte ${block.offset}`;
  const isBounded = block.contentSize <= maxBounded && (await statesContentSize(file, block));
  yield* decompress('xz', asStream(file, block), what, isBounded ? pieceSize : () => unboundedPiece);
}

/** A block that cannot become larger than this may be decoded in large pieces, which spares turns between threads. */
const maxBounded = 32 << 20;

/** Of other blocks; it may become 28 MB, beside a dictionary that is large as well. */
const unboundedPiece = 4 << 10;

/** Whether a block's own header says how long its content is: liblzma then stops at that (section 3.1). */
async function statesContentSize(file: SeekableBytes, block: XzBlock): Promise<boolean> {
  for await (const header of file.range(block.offset, 32)) {
    const flags = header[1] ?? 0;
    if ((flags & 0x80) === 0) return false;
    const varints = new Varints(header, 2);
    if ((flags & 0x40) !== 0) varints.next();
    return varints.next() === block.contentSize;
  }
  return false;
}

async function* asStream(file: SeekableBytes, block: XzBlock): AsyncGenerator<Uint8Array> {
  yield xzStreamHeader(block.flags);
  yield* file.range(block.offset, paddedToFour(block.unpaddedSize));
  yield xzStreamEnd([block], block.flags);
}

/**
 * Bytes of memory that decoding a block takes for its dictionary, from its header: the properties of its LZMA2 filter
 * (sections 3.1 and 5.3.1). What cannot be told is taken to be as large as is allowed.
 */
export async function dictionarySize(file: SeekableBytes, block: XzBlock): Promise<number> {
  for await (const start of file.range(block.offset, 1024)) {
    const header = start.subarray(0, (start[0]! + 1) * 4);
    const at = Buffer.from(header).indexOf(lzma2Flags);
    const bits = at === -1 ? undefined : header[at + 2];
    if (bits === undefined || bits > 40) return maxDictionary;
    return Math.min((2 | (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11), block.contentSize, maxDictionary);
  }
  return maxDictionary;
}

/** The filter's id, and that it has one byte of properties. */
const lzma2Flags = Uint8Array.of(0x21, 0x01);
