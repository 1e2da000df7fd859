import { type Digest, isDigest } from '../../oci/digest.ts';
import { DamagedError, messageOf } from '../../support/errors.ts';
import { endOfLine } from '../blobs/end-of-line.ts';
import { largestFrame, offsetsIn } from './tar-frame.ts';

/** Where everything is in a pack. */
export interface PackContents {
  pack: Digest;
  /** Bytes of its file. */
  size: number;
  frames: Frame[];
}

/** One zstd frame; each begins where the one before it ends. */
export interface Frame {
  /** Bytes in the pack. */
  length: number;
  /** Of its chunks in order, in bytes. */
  sizes: number[];
  /** Their digests, 64 hex digits each, joined. */
  chunks: string;
}

export interface IndexHeader {
  repository: string;
  /** Seed of the gear table. */
  seed: Buffer;
}

/** What an index tells. */
export interface Index {
  header: IndexHeader;
  packs: PackContents[];
}

/** In bytes: more than three times what a pack needs that holds as many chunks as one may. */
export const longestLine = 8 * 1024 * 1024;

/** The first line of an index, as `docs/backup-format.md` tells; then come those of its packs. */
export function encodeIndexHeader({ repository, seed }: IndexHeader): string {
  return JSON.stringify({ repository, seed64: Buffer.from(seed).toString('base64') });
}

/** One pack as a line of an index, without its newline. The keys are told in `docs/backup-format.md`. */
export function encodePackLine({ pack, size, frames }: PackContents): string {
  return JSON.stringify({ pack, size, frames });
}

/** @throws {DamagedError} naming `where` */
export function decodeIndex(bytes: Buffer, where: string): Index {
  const lines = linesOf(bytes);
  try {
    return {
      header: decodeHeader(JSON.parse(lines.next().value ?? '')),
      packs: Array.from(lines, (line) => checkPack(JSON.parse(line))),
    };
  } catch (cause) {
    throw new DamagedError(`reading ${where}: it is not an index: ${messageOf(cause)}`, { cause });
  }
}

/** One at a time: an index is long. */
function* linesOf(bytes: Buffer): Generator<string, undefined> {
  for (let at = 0; at < bytes.length; ) {
    const end = endOfLine(bytes, at);
    if (end - at > longestLine) throw new Error('a line longer than any that is written');
    yield bytes.toString('latin1', at, end);
    at = end + 1;
  }
}

function decodeHeader({ repository, seed64 }: Record<string, unknown>): IndexHeader {
  if (typeof repository !== 'string' || typeof seed64 !== 'string') throw new Error('it has no header');
  return { repository, seed: Buffer.from(seed64, 'base64') };
}

function checkPack(contents: PackContents): PackContents {
  const { pack, size, frames } = contents;
  if (!isDigest(pack) || !isCount(size) || !Array.isArray(frames)) throw new Error('a line tells of no pack');
  for (const { length, sizes, chunks } of frames) {
    if (!isCount(length) || !Array.isArray(sizes) || !sizes.every(isCount))
      throw new Error(`a frame of ${pack}`);
    const isHex = typeof chunks === 'string' && /^[0-9a-f]*$/.test(chunks);
    if (!isHex || chunks.length !== sizes.length * 64) throw new Error(`chunks of ${pack}`);
    if (Math.max(length, offsetsIn(sizes).length) > largestFrame)
      throw new Error(`a frame of ${pack} larger than any that is written`);
  }
  return contents;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
