import { DamagedError, UsageError } from '../support/errors.ts';
import { looksLikeTar } from './tar/header.ts';

export type Compression = 'gzip' | 'xz' | 'zstd' | 'bzip2';

export type Codec = 'tar' | Compression;

/** So many bytes from the beginning tell every codec from the others. */
export const magicLength = 512;

/**
 * Tells by its first bytes what an archive is; names are never asked.
 * @throws {UsageError} for formats that Docker tools do not read, with the command that converts them
 * @throws {DamagedError} for an empty file, or one that is no archive
 */
export function detectCodec(start: Uint8Array, name: string): Codec {
  if (start.length === 0) {
    throw new DamagedError(`${name}: the file is empty`, {
      advice: 'Copy the file again from where it came from',
    });
  }
  const codec = codecOf(start);
  if (codec !== undefined) return codec;
  for (const [magic, format, command] of refused) {
    if (beginsWith(start, magic)) throw refusal(name, format, command);
  }
  if (looksLikeTar(start)) return 'tar';
  throw new DamagedError(`${name}: is neither a tar nor a tar compressed with gzip, xz, zstd or bzip2`, {
    advice: 'Check where the file came from; it may have been cut or overwritten at its very beginning',
  });
}

/** What compresses the bytes that begin like this; `undefined` when nothing does that we know. */
export function codecOf(start: Uint8Array): Compression | undefined {
  if (beginsWith(start, [0x1f, 0x8b])) return 'gzip';
  if (beginsWith(start, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz';
  if (beginsWith(start, [0x28, 0xb5, 0x2f, 0xfd]) || isSkippableFrame(start)) return 'zstd';
  if (beginsWith(start, [0x42, 0x5a, 0x68]) && isBzip2Block(start)) return 'bzip2';
  return undefined;
}

/** Zstandard's skippable frames (RFC 8878, 3.1.2): 0x184D2A50 to 0x184D2A5F, little-endian. */
function isSkippableFrame(start: Uint8Array): boolean {
  return (
    start.length >= 4 && (start[0]! & 0xf0) === 0x50 && beginsWith(start.subarray(1), [0x2a, 0x4d, 0x18])
  );
}

/** After `BZh` and the level comes a block, or the end of an empty stream: the digits of pi, or of its square root. */
function isBzip2Block(start: Uint8Array): boolean {
  const mark = start.subarray(4);
  return (
    beginsWith(mark, [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]) ||
    beginsWith(mark, [0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
  );
}

const refused: readonly [magic: number[], format: string, command: string][] = [
  [[0x4c, 0x52, 0x5a, 0x49], 'lrzip', 'lrzip -d'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4', 'lz4 -d'],
  [[0x02, 0x21, 0x4c, 0x18], 'lz4', 'lz4 -d'],
  [[0x5d, 0x00, 0x00], 'lzma-alone', 'xz --format=lzma -d'],
  [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], '7-Zip', '7z x'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip', 'unzip'],
];

function refusal(name: string, format: string, command: string): UsageError {
  const file = name === 'standard input' ? 'FILE' : shellQuoted(name);
  return new UsageError(
    `${name}: is compressed in the ${format} format, which image archives are not read from`,
    {
      advice: `Convert it first: ${command} ${file}`,
      facts: { format },
    },
  );
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function beginsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}
