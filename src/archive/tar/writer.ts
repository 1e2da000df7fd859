/** Bytes of a tar block. */
const tarBlockSize = 512;

/** The largest size that eleven octal digits hold. */
const maxOctalSize = 8 ** 11 - 1;

/** What ends an archive: two blocks of zeros. */
export const tarEnd = new Uint8Array(2 * tarBlockSize);

/**
 * The header of a regular file, mode 0644, owner 0, time 0. A size of 8 GiB or more is written in base 256, as GNU tar
 * does and everybody reads. Source: POSIX.1-2017 pax, "ustar Interchange Format".
 * @param name ASCII, at most 100 bytes
 */
export function tarFileHeader(name: string, size: number): Uint8Array {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`too long for a tar header: ${name}`);
  const header = Buffer.alloc(tarBlockSize);
  header.write(name, 0);
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100, 'latin1');
  if (size <= maxOctalSize) header.write(`${octal(size)}\0`, 124, 'latin1');
  else writeBase256(header, size);
  header.write(`${octal(0)}\0`, 136, 'latin1');
  header.write(' '.repeat(8), 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** A file that is small enough for memory, whole: header, bytes and padding. */
export function* tarFile(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  yield tarFileHeader(name, bytes.length);
  yield bytes;
  yield tarPadding(bytes.length);
}

/** The zeros that fill the last block of a content of `size` bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((tarBlockSize - (size % tarBlockSize)) % tarBlockSize);
}

function octal(value: number): string {
  return value.toString(8).padStart(11, '0');
}

function writeBase256(header: Buffer, size: number): void {
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(size), 128);
}
