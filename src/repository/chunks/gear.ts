import { createHash } from 'node:crypto';

/** Where content-defined chunks may end, in bytes. */
export const chunkLimits = { minimum: 512 * 1024, maximum: 4 * 1024 * 1024 } as const;

/** The highest 19 bits: one byte in 2^19 ends a chunk, so that chunks are 1 MiB on average. */
const mask = 0xffffe000 | 0;

/** So many bytes before a cut decide it: each shift moves a byte's influence one bit out of the 32. */
const window = 64;

/**
 * The numbers that chunking rolls over a repository's content, drawn from the repository's seed: chunk sizes then
 * tell a stranger nothing about which known files are inside.
 */
export function gearTable(seed: Uint8Array): Int32Array {
  const table = new Int32Array(256);
  for (let block = 0; block < 32; block++) {
    const bytes = createHash('sha256').update(seed).update(Uint8Array.of(block)).digest();
    for (let word = 0; word < 8; word++) table[block * 8 + word] = bytes.readInt32LE(word * 4);
  }
  return table;
}

/**
 * Where the chunk that begins at `from` ends, looking no further than `to`. The end of the content must be `to`, or
 * `to - from` at least the maximum; otherwise a later cut could not be told from the end of what was read.
 */
export function chunkEnd(gear: Int32Array, bytes: Uint8Array, from: number, to: number): number {
  const end = Math.min(to, from + chunkLimits.maximum);
  let at = from + chunkLimits.minimum - window;
  if (end - from <= chunkLimits.minimum) return end;
  let hash = 0;
  for (const earliest = from + chunkLimits.minimum; at < earliest; at++) {
    hash = ((hash << 1) + gear[bytes[at]!]!) | 0;
  }
  for (; at < end; at++) {
    hash = ((hash << 1) + gear[bytes[at]!]!) | 0;
    if ((hash & mask) === 0) return at + 1;
  }
  return end;
}
