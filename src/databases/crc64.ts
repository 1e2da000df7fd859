/**
 * Which of the checksums of that name: tables for its polynomial with the bits reflected, the low and the high half of
 * each entry, and whether the register is inverted before and after.
 */
export interface Crc64Kind {
  low: Int32Array;
  high: Int32Array;
  inverted: boolean;
}

/**
 * As in the trailer of a Redis dump: the polynomial of D. T. Jones.
 * https://rdb.fnordig.de/file_format.html#crc64-check-sum
 */
export const jones = kind(0x95ac9329ac4bc9b5n, false);
/** As in the archives of mongodump: the polynomial of ECMA-182, inverted before and after, also known from xz. */
export const ecma = kind(0xc96c5795d7870f42n, true);

/** A checksum in the making. Bytes may come in any pieces. */
export class Crc64 {
  readonly #kind: Crc64Kind;
  #low: number;
  #high: number;

  constructor(kind: Crc64Kind) {
    this.#kind = kind;
    this.#low = this.#high = kind.inverted ? -1 : 0;
  }

  update(bytes: Uint8Array): void {
    const { low: lows, high: highs } = this.#kind;
    let [low, high] = [this.#low, this.#high];
    for (let i = 0; i < bytes.length; i++) {
      const index = (low ^ bytes[i]!) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ lows[index]!;
      high = (high >>> 8) ^ highs[index]!;
    }
    this.#low = low;
    this.#high = high;
  }

  /** 64 bits, without a sign. */
  get value(): bigint {
    const value = (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
    return this.#kind.inverted ? BigInt.asUintN(64, ~value) : value;
  }
}

function kind(reflected: bigint, inverted: boolean): Crc64Kind {
  const [low, high] = [new Int32Array(256), new Int32Array(256)];
  for (let index = 0; index < 256; index++) {
    let value = BigInt(index);
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ reflected : value >> 1n;
    low[index] = Number(BigInt.asIntN(32, value));
    high[index] = Number(BigInt.asIntN(32, value >> 32n));
  }
  return { low, high, inverted };
}
