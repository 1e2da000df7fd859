/** Of a chunk's SHA-256. */
export const digestBytes = 32;

/** Digests lie in pages of so many (a power of two): to make room for more, none is moved. */
const pageBits = 13;
const pageMask = (1 << pageBits) - 1;

/**
 * Numbers chunks by their digest: the first is 0. Flat arrays instead of objects, some 40 bytes a chunk, so that
 * millions of chunks fit in memory.
 */
export class ChunkTable {
  readonly #pages: Buffer[] = [];
  /** Open addressing: number + 1, or 0 for a free slot. */
  #slots = new Uint32Array(16);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  /** The number of the chunk whose digest stands at `offset` in `bytes`, or -1. */
  find(bytes: Uint8Array, offset = 0): number {
    return this.#slots[this.#slotOf(bytes, offset)]! - 1;
  }

  findHex(hex: string): number {
    return this.find(Buffer.from(hex, 'hex'));
  }

  /** The number of the chunk; a new one when it was not there. */
  add(bytes: Uint8Array, offset = 0): number {
    if ((this.#count + 1) * 3 > this.#slots.length * 2) this.#rehash();
    const slot = this.#slotOf(bytes, offset);
    if (this.#slots[slot] !== 0) return this.#slots[slot]! - 1;
    if ((this.#count & pageMask) === 0) this.#pages.push(Buffer.allocUnsafeSlow(digestBytes << pageBits));
    this.#pageOf(this.#count).set(bytes.subarray(offset, offset + digestBytes), placeOf(this.#count));
    this.#slots[slot] = ++this.#count;
    return this.#count - 1;
  }

  digestHex(number: number): string {
    const place = placeOf(number);
    return this.#pageOf(number).toString('hex', place, place + digestBytes);
  }

  #pageOf(number: number): Buffer {
    return this.#pages[number >>> pageBits]!;
  }

  /** The slot that holds the digest, or the free one where it belongs. */
  #slotOf(bytes: Uint8Array, offset: number): number {
    const last = this.#slots.length - 1;
    let slot = wordAt(bytes, offset) & last;
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & last) {
      if (this.#equals(this.#slots[slot]! - 1, bytes, offset)) break;
    }
    return slot;
  }

  #equals(number: number, bytes: Uint8Array, offset: number): boolean {
    const page = this.#pageOf(number);
    const place = placeOf(number);
    for (let i = 0; i < digestBytes; i++) if (page[place + i] !== bytes[offset + i]) return false;
    return true;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#count; number++) {
      this.#slots[this.#slotOf(this.#pageOf(number), placeOf(number))] = number + 1;
    }
  }
}

/** Of its digest in its page. */
function placeOf(number: number): number {
  return (number & pageMask) * digestBytes;
}

/** Digests are evenly spread: any of their bytes are a hash. */
function wordAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
}
