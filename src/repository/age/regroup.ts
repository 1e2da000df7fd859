/**
 * Regroups pieces of any length into runs whose length is a multiple of `size`, and always holds back the end of
 * what came: whoever must treat the last group differently never passes it on too early.
 */
export class Regrouper {
  readonly #size: number;
  readonly #held: Uint8Array;
  #length = 0;

  constructor(size: number) {
    this.#size = size;
    this.#held = Buffer.allocUnsafeSlow(size);
  }

  /** Yields the runs that `piece` completes. A run is valid until the next one is asked for. */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    let rest = piece;
    if (this.#length > 0) {
      rest = piece.subarray(this.#hold(piece));
      if (rest.length > 0) {
        yield this.#held;
        this.#length = 0;
      }
    }
    if (rest.length === 0) return;
    const whole = rest.length - 1 - ((rest.length - 1) % this.#size);
    if (whole > 0) yield rest.subarray(0, whole);
    this.#hold(rest.subarray(whole));
  }

  /** What is left: one group or less; nothing only when nothing ever came. */
  rest(): Uint8Array {
    return this.#held.subarray(0, this.#length);
  }

  /** Keeps as much of `bytes` as there is room for, and says how much that was. */
  #hold(bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.#size - this.#length);
    this.#held.set(taken, this.#length);
    this.#length += taken.length;
    return taken.length;
  }
}
