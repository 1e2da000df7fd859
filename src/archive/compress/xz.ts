import { crc32 } from 'node:zlib';
import { freeNow } from '../../support/free-now.ts';
import { loadLzma } from '../xz/lzma.ts';
import {
  littleEndian,
  padToFour,
  streamFooterSize,
  streamHeaderSize,
  xzStreamEnd,
  xzStreamHeader,
} from '../xz/stream-frame.ts';
import { encodeVarint, Varints } from '../xz/varint.ts';
import type { BlockFormat, CompressedBlock } from './block-format.ts';

const blockSize = 16 << 20;

/** Half of what `xz -6` takes: some 2 % more output for half the memory. */
const maxDictionary = 4 << 20;

/**
 * liblzma's encoder takes some twelve times its dictionary; content is there as it comes, as its copy, and compressed.
 */
const memory = 12 * maxDictionary + 3 * blockSize;

/** Stream flags: the check is a CRC64, as `xz` writes it. */
const flags = Uint8Array.of(0x00, 0x04);
const checkSize = 8;

/** Output comes in pieces of so many bytes. */
const outputPiece = 1 << 20;

/**
 * One xz stream of many blocks. liblzma makes a stream of one block out of each piece of content; the block is lifted
 * out and given a header that states both sizes, which is what lets `xz -T0` decode in parallel; the index at the end
 * is ours. Source of the layout: "The .xz File Format" 1.1.0, sections 2.1, 3.1 and 4.
 */
export function xzBlocks(level: number): BlockFormat {
  return {
    blockSize,
    memory,
    copies: true,
    start: xzStreamHeader(flags),
    async compress(content) {
      return liftBlock(await encodeStream(content, level), content.length);
    },
    end: (blocks) => xzStreamEnd(blocks, flags),
  };
}

async function encodeStream(content: Uint8Array, level: number): Promise<Buffer> {
  const lzma = loadLzma<Liblzma>();
  const encoder = new lzma.Stream();
  const options = { ...presetOptions(level), dictSize: dictionarySize(content.length) };
  encoder.streamEncoder({ filters: [{ id: lzma.FILTER_LZMA2, options }], check: lzma.CHECK_CRC64 });
  encoder.setBufsize(outputPiece);
  const pieces: Buffer[] = [];
  return await new Promise((resolve, reject) => {
    let finishing = false;
    encoder.bufferHandler = (bytes, _taken, error) => {
      if (error) return reject(error);
      if (bytes === null) return resolve(joined(pieces));
      if (bytes !== undefined) pieces.push(bytes);
      else if (!finishing) {
        finishing = true;
        encoder.code(null, true);
      }
    };
    encoder.code(content, true);
  });
}

function joined(pieces: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(pieces);
  for (const piece of pieces) freeNow(piece);
  return whole;
}

/**
 * lzma-native below its stream class, which cuts its input wherever the letters YZ stand in it (so end the streams it
 * also decodes): a layer full of them would take hours.
 */
interface Liblzma {
  FILTER_LZMA2: string;
  CHECK_CRC64: number;
  Stream: new () => {
    streamEncoder(options: { filters: object[]; check: number }): void;
    /** Bytes of output that are handed over at a time. */
    setBufsize(size: number): void;
    /**
     * Called with output; with `undefined` when all input is taken; with `null` at the end, and the error if there is
     * one.
     */
    bufferHandler(bytes: Buffer | null | undefined, taken?: number, error?: Error | null): void;
    /** Encodes on the thread pool; `null` ends the input. */
    code(input: Uint8Array | null, onThreadPool: true): void;
  };
}

const fast = 1;
const normal = 2;
const hashChain3 = 0x03;
const hashChain4 = 0x04;
const binaryTree4 = 0x14;

/**
 * What a preset of `xz` stands for, but for its dictionary (a preset given to lzma-native brings its own dictionary of
 * up to 64 MiB). Source: lzma_lzma_preset() of XZ Utils 5.2.
 */
function presetOptions(level: number): object {
  if (level <= 3) {
    return {
      mode: fast,
      mf: level === 0 ? hashChain3 : hashChain4,
      niceLen: level <= 1 ? 128 : 273,
      depth: [4, 8, 24, 48][level],
    };
  }
  return { mode: normal, mf: binaryTree4, niceLen: level === 4 ? 16 : level === 5 ? 32 : 64, depth: 0 };
}

/** The smallest power of two that covers the block: readers of a tar header must not need a large one. */
function dictionarySize(contentSize: number): number {
  let size = 4096;
  while (size < contentSize && size < maxDictionary) size *= 2;
  return size;
}

/** The new header is longer than the one it replaces, and fits in front of it, where the stream header was. */
function liftBlock(stream: Buffer, contentSize: number): CompressedBlock {
  const indexSize = (stream.readUInt32LE(stream.length - 8) + 1) * 4;
  const end = stream.length - streamFooterSize - indexSize;
  const dataStart = streamHeaderSize + (stream[streamHeaderSize]! + 1) * 4;
  const unpadded = new Varints(stream, end + 2).next();
  const compressedSize = unpadded - (dataStart - streamHeaderSize) - checkSize;
  const header = blockHeader(compressedSize, contentSize, stream.subarray(streamHeaderSize + 2, dataStart));
  header.copy(stream, dataStart - header.length);
  return {
    bytes: stream.subarray(dataStart - header.length, end),
    contentSize,
    unpaddedSize: header.length + compressedSize + checkSize,
  };
}

/**
 * @param filter the filter flags (id, size of properties, properties) of the header that is replaced, and what follows
 * them
 */
function blockHeader(compressedSize: number, contentSize: number, filter: Uint8Array): Buffer {
  const filterFlags = filter.subarray(0, 2 + filter[1]!);
  const fields = Buffer.concat([
    Uint8Array.of(0, 0xc0), // size, set below; one filter, both sizes present
    encodeVarint(compressedSize),
    encodeVarint(contentSize),
    filterFlags,
  ]);
  const header = padToFour(fields);
  header[0] = header.length / 4;
  return Buffer.concat([header, littleEndian(crc32(header))]);
}
