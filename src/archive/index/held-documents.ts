import { maxDocument } from './archive-files.ts';

/** Files up to this size are held whatever is in them, larger ones when they begin like JSON. */
const smallFile = 1 << 16;

/** All that is held, in bytes: a bound for hostile archives. */
const maxHeld = 64 << 20;

/** Decides, on the way through an archive, which files to keep because they may be documents. */
export class HeldDocuments {
  #held = 0;

  /** Whether a file of that size, which begins like that, is to be kept; if so it counts. */
  mayHold(size: number, start: Uint8Array): boolean {
    const isJson =
      size <= maxDocument && /^\s*[[{]/.test(Buffer.from(start.subarray(0, 64)).toString('latin1'));
    if (this.#held + size > maxHeld || !(isJson || size <= smallFile)) return false;
    this.#held += size;
    return true;
  }
}
