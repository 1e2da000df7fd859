import { createHash } from 'node:crypto';

/** Where content-defined chunks may end, in bytes. */
export const chunkLimits = { minimum: 512 * 1024, maximum: 4 * 1024 * 1024 } as const;

/** The highest 19 bits: one byte in 2^19 ends a chunk, so that chunks are 1 MiB on average. */
const mask = 0xffffe000 | 0;

/** More bytes before a cut than decide it: each shift moves a byte's influence one bit out of the 32. */
const cutWindow = 64;

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
 * Where a chunk may end: behind the first byte of `bytes` from `from` on, and before `to`, that the ones before it make
 * a cut; `undefined` where there is none. At least 64 bytes (`cutWindow`) of the same chunk lie before `from`.
 */
export function findCut(gear: Int32Array, bytes: Uint8Array, from: number, to: number): number | undefined {
  let hash = 0;
  let at = from - cutWindow;
  for (; at < from; at++) hash = ((hash << 1) + gear[bytes[at]!]!) | 0;
  for (; at < to; at++) {
    hash = ((hash << 1) + gear[bytes[at]!]!) | 0;
    if ((hash & mask) === 0) return at + 1;
  }
  return undefined;
}
