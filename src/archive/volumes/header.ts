import * as z from 'zod';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';

/** What the first 4,096 bytes of a volume say (docs/bundle-format.md, "Volumes"). */
export interface VolumeHeader {
  /** Volumes with the same one belong together. */
  set: Digest;
  /** From 1. */
  volume: number;
  of: number;
  /** Bytes of payload in this volume. */
  size: number;
  /** Hex, of the payload. */
  sha256: string;
  /** Where the payload belongs in the archive. */
  offset: number;
  /** Bytes of the whole archive. */
  total: number;
}

export const volumeHeaderSize = 4096;
/** What names a set: the digests of all its payloads, in order, each followed by a newline. */
export function volumeSetId(payloads: readonly string[]): Digest {
  return digestOf(payloads.map((sha256) => `${sha256}\n`).join(''));
}

const magic = 'dockerctl volume 1\n';

/** `volumeHeaderSize` bytes, readable as text. */
export function encodeVolumeHeader(header: VolumeHeader): Uint8Array {
  const { set, volume, of, size, sha256, offset, total } = header;
  const text = `${magic}${JSON.stringify({ set, volume, of, size, sha256, offset, total })}\n`;
  return Buffer.from(`${text.padEnd(volumeHeaderSize - 1)}\n`, 'latin1');
}

const count = z.number().int().nonnegative();
const shape = z
  .object({
    set: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    volume: count.min(1),
    of: count.min(1),
    size: count,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    offset: count,
    total: count,
  })
  .refine(({ volume, of, offset, size, total }) => volume <= of && offset + size <= total);

/**
 * @param start the first bytes of a file
 * @returns `undefined` when the file is no volume
 * @throws {DamagedError} for the header of a volume that cannot be read
 */
export function parseVolumeHeader(start: Uint8Array, path: string): VolumeHeader | undefined {
  const text = Buffer.from(start.subarray(0, volumeHeaderSize)).toString('latin1');
  if (!text.startsWith('dockerctl volume ')) return undefined;
  if (!text.startsWith(magic)) {
    throw new DamagedError(`${path}: is a volume of a format that this dockerctl does not know`);
  }
  try {
    return shape.parse(JSON.parse(text.slice(magic.length))) as VolumeHeader;
  } catch (cause) {
    throw new DamagedError(`${path}: the header of this volume is damaged`, { cause });
  }
}
