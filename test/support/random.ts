/**
 * Random numbers that can be had again: the same in every run of the suite, others with `SEED=…`.
 * Source: the generator mulberry32, public domain.
 */
export const seed = Number(process.env.SEED ?? 20261122);

let state = seed;

/** At least 0, less than 1. */
export function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
