/**
 * CRC-64 as in the trailer of a Redis dump: the polynomial of D. T. Jones 0xad93d23594c935a9, bits reflected, begun with 0 and not
 * inverted. Source: the RDB file format, https://rdb.fnordig.de/file_format.html#crc64-check-sum.
 */
export class Crc64 {
  #low = 0;
  #high = 0;

  update(bytes: Uint8Array): void {
    let [low, high] = [this.#low, this.#high];
    for (let i = 0; i < bytes.length; i++) {
      const index = (low ^ bytes[i]!) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ lows[index]!;
      high = (high >>> 8) ^ highs[index]!;
    }
    this.#low = low;
    this.#high = high;
  }

  get value(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }
}

/** The polynomial 0xad93d23594c935a9, reflected. */
const reflected = 0x95ac9329ac4bc9b5n;
const lows = new Int32Array(256);
const highs = new Int32Array(256);

for (let index = 0; index < 256; index++) {
  let value = BigInt(index);
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ reflected : value >> 1n;
  lows[index] = Number(BigInt.asIntN(32, value));
  highs[index] = Number(BigInt.asIntN(32, value >> 32n));
}
