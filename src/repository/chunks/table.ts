const digestBytes = 32;

/**
 * Numbers chunks by their digest: the first is 0. Flat arrays instead of objects, some 44 bytes a chunk, so that
 * millions of chunks fit in memory.
 */
export class ChunkTable {
  #digests = Buffer.alloc(0);
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
    if ((this.#count + 1) * 2 > this.#slots.length) this.#rehash();
    const slot = this.#slotOf(bytes, offset);
    if (this.#slots[slot] !== 0) return this.#slots[slot]! - 1;
    this.#grow();
    this.#digests.set(bytes.subarray(offset, offset + digestBytes), this.#count * digestBytes);
    this.#slots[slot] = ++this.#count;
    return this.#count - 1;
  }

  digestHex(number: number): string {
    return this.#digests.toString('hex', number * digestBytes, (number + 1) * digestBytes);
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
    const at = number * digestBytes;
    for (let i = 0; i < digestBytes; i++) if (this.#digests[at + i] !== bytes[offset + i]) return false;
    return true;
  }

  #grow(): void {
    if (this.#digests.length > this.#count * digestBytes) return;
    const larger = Buffer.alloc(Math.max(1024 * digestBytes, Math.ceil(this.#digests.length * 1.5)));
    this.#digests.copy(larger);
    this.#digests = larger.subarray(0, larger.length - (larger.length % digestBytes));
  }

  #rehash(): void {
    this.#slots = new Uint32Array(this.#slots.length * 4);
    for (let number = 0; number < this.#count; number++) {
      this.#slots[this.#slotOf(this.#digests, number * digestBytes)] = number + 1;
    }
  }
}

/** Digests are evenly spread: any of their bytes are a hash. */
function wordAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
}
