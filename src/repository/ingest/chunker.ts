import { chunkEnd, chunkLimits } from '../chunks/gear.ts';
import { type Arena, Arenas, arenaSize } from './arena.ts';

/** Puts content into `buffer` from `offset` on and returns how many bytes; 0 is the end. */
export type Read = (buffer: Buffer, offset: number) => number | Promise<number>;

/** Arenas of one worker: one is read into while the others are packed. */
const arenaCount = 2;

/**
 * Reads content into arenas, cuts it into chunks and names them. Full arenas go to `pack`, which must call its second
 * argument when it needs the arena's bytes no longer.
 */
export class Chunker {
  readonly #gear: Int32Array;
  readonly #arenas = new Arenas(arenaCount);
  readonly #pack: (arena: Arena, release: () => void) => void;
  #arena: Arena | undefined;

  constructor(gear: Int32Array, pack: (arena: Arena, release: () => void) => void) {
    this.#gear = gear;
    this.#pack = pack;
  }

  /** Content of at most `size` bytes, less than a chunk's minimum, is one chunk; `keep` decides if it counts. */
  async addSmall(size: number, read: Read, keep: (length: number) => boolean): Promise<string[] | undefined> {
    const arena = await this.#arenaWithRoom(size);
    const from = arena.used;
    const before = arena.chunks.length;
    let length = 0;
    for (let got = 1; got > 0 && length < size; length += got)
      got = await read(arena.bytes.subarray(0, from + size), from + length);
    const chunks = length === 0 ? [] : [arena.addChunk(from, from + length)];
    arena.used = from + length;
    if (keep(length)) return chunks;
    arena.rollBack(from, before);
    return undefined;
  }

  /** Content of any length, cut where its bytes say. */
  async addLarge(read: Read): Promise<{ chunks: string[]; size: number }> {
    const chunks: string[] = [];
    let arena = await this.#arenaWithRoom(chunkLimits.maximum);
    let from = arena.used;
    for (let size = 0; ; ) {
      const got = arena.used < arenaSize ? await read(arena.bytes, arena.used) : -1;
      arena.used += Math.max(0, got);
      size += Math.max(0, got);
      while (arena.used - from >= chunkLimits.maximum || (got === 0 && arena.used > from)) {
        const to = chunkEnd(this.#gear, arena.bytes, from, arena.used);
        chunks.push(arena.addChunk(from, to));
        from = to;
      }
      if (got === 0) return { chunks, size };
      if (got === -1) {
        arena = await this.#carryOver(arena, from);
        from = 0;
      }
    }
  }

  /** Sends what is in the current arena on its way. */
  flush(): void {
    const arena = this.#arena;
    if (arena === undefined) return;
    this.#arena = undefined;
    this.#pack(arena, () => this.#arenas.release(arena));
  }

  async #arenaWithRoom(size: number): Promise<Arena> {
    if (this.#arena !== undefined && (this.#arena.isFull || this.#arena.used + size > arenaSize))
      this.flush();
    this.#arena ??= await this.#arenas.acquire();
    return this.#arena;
  }

  /** Moves the chunk that has only begun to the next arena. */
  async #carryOver(full: Arena, from: number): Promise<Arena> {
    const next = await this.#arenas.acquire();
    next.used = full.used - from;
    full.bytes.copy(next.bytes, 0, from, full.used);
    this.flush();
    this.#arena = next;
    return next;
  }
}
