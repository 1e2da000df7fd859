import { DamagedError } from '../../support/errors.ts';

export const blockSize = 512;

/** One header block of a tar, as it stands there. */
export interface TarHeader {
  name: string;
  /** Bytes of content that follow. */
  size: number;
  /** The type flag: `0` file, `1` hard link, `2` symbolic link, `5` directory, `x` PAX and so on. */
  type: string;
  linkName: string;
}

/**
 * Decodes a header block; `undefined` for a block of zeros, which ends an archive. Reads v7, ustar, PAX and GNU
 * headers alike (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format").
 * @throws {DamagedError} when the checksum does not match
 */
export function decodeTarHeader(block: Uint8Array, where: string): TarHeader | undefined {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const sum = checksum(bytes);
  if (sum === emptyChecksum) return undefined;
  if (sum !== octal(bytes, 148, 8)) throw new DamagedError(`${where}: this is not a tar header`);
  const ustar = bytes.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = ustar ? text(bytes, 345, 155) : '';
  const name = text(bytes, 0, 100);
  const size = number(bytes, 124, 12);
  if (!Number.isSafeInteger(size) || size < 0) throw new DamagedError(`${where}: its size is not a number`);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size,
    type: bytes[156] === 0 ? '0' : String.fromCharCode(bytes[156]!),
    linkName: text(bytes, 157, 100),
  };
}

/** Bytes from the end of `size` bytes of content to the next block. */
export function paddingAfter(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** Whether `bytes` begin like a tar: a header with its checksum right, or the zeros of an empty archive. */
export function looksLikeTar(bytes: Uint8Array): boolean {
  if (bytes.length < blockSize) return false;
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, blockSize);
  const sum = checksum(block);
  return sum === emptyChecksum || sum === octal(block, 148, 8);
}

/**
 * The records of a PAX extended header.
 * @throws {DamagedError} when they are not `LENGTH KEY=VALUE\n`
 */
export function decodePax(content: Uint8Array, where: string): Map<string, string> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const records = new Map<string, string>();
  for (let start = 0; start < bytes.length; ) {
    const space = bytes.indexOf(0x20, start);
    const length = Number(bytes.toString('latin1', start, space));
    const end = start + length;
    const equals = bytes.indexOf(0x3d, space);
    const whole = space > start && Number.isInteger(length) && equals > space && equals < end;
    if (!whole || end > bytes.length || bytes[end - 1] !== 0x0a) {
      throw new DamagedError(`${where}: its PAX header is malformed`);
    }
    records.set(bytes.toString('utf8', space + 1, equals), bytes.toString('utf8', equals + 1, end - 1));
    start = end;
  }
  return records;
}

/** The checksum field counts as spaces. */
const emptyChecksum = 8 * 0x20;

function checksum(block: Uint8Array): number {
  let sum = emptyChecksum;
  for (let i = 0; i < 148; i++) sum += block[i]!;
  for (let i = 156; i < blockSize; i++) sum += block[i]!;
  return sum;
}

function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start);
  return block.toString('utf8', start, end === -1 ? start + length : Math.min(end, start + length));
}

function number(block: Buffer, start: number, length: number): number {
  return block[start]! & 0x80 ? base256(block, start, length) : octal(block, start, length);
}

function octal(block: Buffer, start: number, length: number): number {
  const digits = block
    .toString('latin1', start, start + length)
    .replace(/[\0 ]+$/, '')
    .trimStart();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** GNU's way to write sizes over 8 GiB; a first byte other than 0x80 would be negative or beyond 2^88. */
function base256(block: Buffer, start: number, length: number): number {
  if (block[start] !== 0x80) return Number.NaN;
  let value = 0;
  for (let i = start + 1; i < start + length; i++) value = value * 256 + block[i]!;
  return value;
}
