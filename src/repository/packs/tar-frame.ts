/** The 512-byte blocks of a POSIX ustar archive. Source: POSIX.1-2017, `pax`, "ustar Interchange Format". */
const block = 512;

/** Bytes before each chunk in a frame. */
export const headerBytes = block;

/** A frame closes when it holds so many bytes… */
export const frameGoal = 2 * 1024 * 1024;
/** …or before the chunk with which it would hold more than so many, unless that is all it holds. */
export const frameLimit = 3 * 1024 * 1024;
/** None is larger than this, in bytes, compressed or not: the largest chunk behind an almost full frame. */
export const largestFrame = 8 * 1024 * 1024;

/** What ends an archive. */
export const archiveEnd = Buffer.alloc(2 * block);

/** Bytes that a chunk of `size` takes in a frame. */
export function spaceOf(size: number): number {
  return block + Math.ceil(size / block) * block;
}

/** Where each of these chunks begins in its frame, and how long the frame is. */
export function offsetsIn(sizes: readonly number[]): { offsets: number[]; length: number } {
  let length = 0;
  const offsets = sizes.map((size) => {
    const offset = length + block;
    length += spaceOf(size);
    return offset;
  });
  return { offsets, length };
}

/**
 * Makes the `size` bytes of a chunk that lie at `at + headerBytes` an entry of the archive: the header before them,
 * zeros behind them up to the next block. Returns the offset behind it.
 */
export function endEntry(frame: Buffer, at: number, hex: string, size: number): number {
  frame.set(header, at);
  writeHeader(frame, at, hex, size);
  const end = at + spaceOf(size);
  frame.fill(0, at + headerBytes + size, end);
  return end;
}

/**
 * Whether the entry at `at` is what `endEntry` makes, so that `tar` finds the chunk by its name; or what it wrote at
 * first, when the magic was in the wrong field, which tar reads as an archive older than ustar.
 */
export function isChunkHeader(frame: Buffer, at: number, hex: string, size: number): boolean {
  const found = frame.subarray(at, at + block);
  return headerOf(header, hex, size).equals(found) || headerOf(firstHeader, hex, size).equals(found);
}

function headerOf(template: Buffer, hex: string, size: number): Buffer {
  const made = Buffer.from(template);
  writeHeader(made, 0, hex, size);
  return made;
}

/** Into a header without name, size and checksum. */
function writeHeader(frame: Buffer, at: number, hex: string, size: number): void {
  const length = octal(size, 11);
  frame.write(hex, at, 64, 'latin1');
  frame.write(length, at + 124, 11, 'latin1');
  frame.write(octal(sumOfTemplate + sumOf(hex) + sumOf(length), 6), at + 148, 6, 'latin1');
}

const header = templateWith(257);
const firstHeader = templateWith(157);

/** The same of both: of all bytes, those of the checksum's own field taken as spaces. */
const sumOfTemplate = header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);

function templateWith(magicAt: number): Buffer {
  const template = Buffer.alloc(block);
  template.write('0000600\x000000000\x000000000\0', 100, 'latin1');
  template.write('00000000000\0', 136, 'latin1');
  template.write('      \0 0', 148, 'latin1');
  template.write('ustar\x0000', magicAt, 'latin1');
  return template;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function sumOf(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += text.charCodeAt(i);
  return sum;
}

/** The entries of a frame, as far as it holds any that `endEntry` made. */
export function* chunksInFrame(frame: Buffer): Generator<{ hex: string; offset: number; size: number }> {
  for (let at = 0; at + block <= frame.length; ) {
    const hex = frame.toString('latin1', at, at + 64);
    const size = Number.parseInt(frame.toString('latin1', at + 124, at + 135), 8);
    if (!isChunkHeader(frame, at, hex, size)) return;
    yield { hex, offset: at + block, size };
    at += spaceOf(size);
  }
}
