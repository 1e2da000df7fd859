import { hash } from 'node:crypto';

/** Bytes; more than the largest chunk, so that a chunk carried over from the arena before leaves room to read on. */
export const arenaSize = 5 * 1024 * 1024;
const mostChunks = 4096;

/** A fixed piece of memory that content is read into, and the chunks found in it. */
export class Arena {
  readonly bytes = Buffer.allocUnsafeSlow(arenaSize);
  /** Bytes read into it. */
  used = 0;
  readonly #digests = Buffer.allocUnsafeSlow(mostChunks * 32);
  #chunks: ArenaChunk[] = [];

  get isFull(): boolean {
    return this.#chunks.length === mostChunks;
  }

  get chunks(): readonly ArenaChunk[] {
    return this.#chunks;
  }

  /** All digests in order, 32 bytes each; a copy. */
  digests(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#digests, 0, this.#chunks.length * 32);
  }

  /** Notes that these bytes are a chunk, and returns its digest in hex. */
  addChunk(from: number, to: number): string {
    const digest = hash('sha256', this.bytes.subarray(from, to), 'buffer');
    const hex = digest.toString('hex');
    this.#digests.set(digest, this.#chunks.length * 32);
    this.#chunks.push({ from, to, hex });
    return hex;
  }

  /** Forgets what was read and found since there were so many bytes and chunks. */
  rollBack(used: number, chunks: number): void {
    this.used = used;
    this.#chunks.length = chunks;
  }

  clear(): void {
    this.used = 0;
    this.#chunks = [];
  }
}

interface ArenaChunk {
  from: number;
  to: number;
  hex: string;
}

/** A few arenas that take turns: whoever reads waits here while all of them are being packed. */
export class Arenas {
  readonly #free: Arena[];
  readonly #waiting: ((arena: Arena) => void)[] = [];

  constructor(count: number) {
    this.#free = Array.from({ length: count }, () => new Arena());
  }

  async acquire(): Promise<Arena> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(arena: Arena): void {
    arena.clear();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(arena);
    else this.#free.push(arena);
  }
}
