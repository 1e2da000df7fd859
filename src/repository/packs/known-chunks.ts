import { ChunkTable, digestBytes } from '../chunks/table.ts';
import type { PackRef } from '../snapshot/manifest.ts';
import type { PackContents } from './index-lines.ts';

/** A chunk that is on its way into a pack that is not complete. */
const pending = 0xffffffff;

/**
 * Which chunks need not be stored again, and the pack of each: of packs that can be used and of the run in progress.
 */
export class KnownChunks {
  readonly #table = new ChunkTable();
  readonly #packs: PackRef[] = [];
  #packOf = new Uint32Array(1024);

  /**
   * Says where the chunks of a complete pack are.
   * @returns their numbers, in order
   */
  addPack(pack: PackRef, { frames }: Pick<PackContents, 'frames'>): Uint32Array {
    const position = this.#packs.push(pack) - 1;
    const digests = Buffer.from(frames.map(({ chunks }) => chunks).join(''), 'hex');
    const numbers = new Uint32Array(digests.length / digestBytes);
    for (let i = 0; i < numbers.length; i++) {
      numbers[i] = this.#table.add(digests, i * digestBytes);
      this.#place(numbers[i]!, position);
    }
    return numbers;
  }

  /** Whether the chunk whose digest stands at `offset` is new. From now on it is known, its pack to be told later. */
  claim(digests: Uint8Array, offset: number): boolean {
    const before = this.#table.size;
    const number = this.#table.add(digests, offset);
    if (number < before) return false;
    this.#place(number, pending);
    return true;
  }

  /** A number that stands for the chunk, -1 when it is not known. */
  numberOf(hex: string): number {
    return this.#table.findHex(hex);
  }

  /** Their digests in hex, joined. */
  textOf(numbers: Uint32Array): string {
    return Array.from(numbers, (number) => this.#table.digestHex(number)).join('');
  }

  /** The packs of these chunks. Each must be in a complete pack by now. */
  packsOf(numbers: Iterable<number>): PackRef[] {
    const positions = new Set<number>();
    for (const number of numbers) positions.add(this.#packOf[number]!);
    return [...positions].map((position) => this.#packs[position]!);
  }

  #place(number: number, position: number): void {
    if (number >= this.#packOf.length) {
      const larger = new Uint32Array(this.#packOf.length * 2);
      larger.set(this.#packOf);
      this.#packOf = larger;
    }
    this.#packOf[number] = position;
  }
}
