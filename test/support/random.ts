/**
 * Random numbers that can be had again: a test prints its seed, and `SEED=…` repeats it.
 * Source: the generator mulberry32, public domain.
 */
export const seed = Number(process.env.SEED ?? Date.now() % 1e9);

let state = seed;

/** At least 0, less than 1. */
export function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
