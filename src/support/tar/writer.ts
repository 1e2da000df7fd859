/** Bytes of a tar block. */
const blockSize = 512;

/** The largest name, or target of a link, that fits in the header itself, in bytes. */
const longestName = 100;

/** What stands before the content of an entry. Name and target have **one character per byte** (latin1). */
export interface TarHeader {
  name: string;
  type: keyof typeof typeFlags;
  size?: number;
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970. */
  mtime?: number;
  /** Target of a symbolic link. */
  linkname?: string;
}

const typeFlags = { file: '0', symlink: '2', directory: '5', pax: 'x' } as const;

/**
 * The header of an entry, with what must stand before it when a name is long. Source: POSIX.1-2017 pax, "ustar
 * Interchange Format" and "pax Extended Header"; bytes that are not UTF-8 stand there as they are, as tar programs
 * have it.
 */
export function tarHeader(entry: TarHeader): Buffer {
  const { name, linkname = '' } = entry;
  const records = [
    ...(name.length > longestName ? [paxRecord('path', name)] : []),
    ...(linkname.length > longestName ? [paxRecord('linkpath', linkname)] : []),
  ];
  if (records.length === 0) return block(entry);
  const extended = Buffer.from(records.join(''), 'latin1');
  const before = block({ name: 'PaxHeader', type: 'pax', size: extended.length });
  return Buffer.concat([before, extended, tarPadding(extended.length), block(entry)]);
}

/**
 * The header of a regular file, mode 0644, owner 0, time 0.
 * @param name ASCII, at most 100 bytes
 */
export function tarFileHeader(name: string, size: number): Uint8Array {
  if (Buffer.byteLength(name) > longestName) throw new RangeError(`too long for a tar header: ${name}`);
  return block({ name, type: 'file', size });
}

/** A file that is small enough for memory, whole: header, bytes and padding. */
export function* tarFile(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield tarFileHeader(name, bytes.length);
  yield bytes;
  yield tarPadding(bytes.length);
}

/** The zeros that fill the last block of a content of `size` bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((blockSize - (size % blockSize)) % blockSize);
}

/** What ends an archive: two blocks of zeros. */
export const tarEnd = new Uint8Array(2 * blockSize);

function block({
  name,
  type,
  size = 0,
  mode = 0o644,
  uid = 0,
  gid = 0,
  mtime = 0,
  linkname = '',
}: TarHeader): Buffer {
  const header = Buffer.alloc(blockSize);
  header.write(name.slice(0, longestName), 0, 'latin1');
  writeNumber(header, 100, 8, mode);
  writeNumber(header, 108, 8, uid);
  writeNumber(header, 116, 8, gid);
  writeNumber(header, 124, 12, size);
  writeNumber(header, 136, 12, mtime);
  header.write(' '.repeat(8), 148, 'latin1');
  header.write(typeFlags[type], 156, 'latin1');
  header.write(linkname.slice(0, longestName), 157, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148, 'latin1');
  return header;
}

/** What octal digits cannot hold is written in base 256, as GNU tar does and everybody reads. */
function writeNumber(header: Buffer, at: number, width: number, value: number): void {
  if (value >= 0 && value < 8 ** (width - 1)) {
    header.write(`${octal(value, width - 1)}\0`, at, 'latin1');
    return;
  }
  header.fill(value < 0 ? 0xff : 0, at, at + width);
  header.writeBigInt64BE(BigInt(value), at + width - 8);
  header[at]! |= 0x80;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** `<length of all of it in bytes> <key>=<value>\n`. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const digits = String(rest.length + String(rest.length).length).length;
  return `${rest.length + digits}${rest}`;
}
