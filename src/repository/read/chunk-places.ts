import type { Digest } from '../../oci/digest.ts';
import { DamagedError } from '../../support/errors.ts';
import { ChunkTable, digestBytes } from '../chunks/table.ts';
import type { PackContents } from '../packs/index-lines.ts';
import { readPackIndex } from '../packs/read-pack-index.ts';
import { offsetsIn } from '../packs/tar-frame.ts';
import type { Store } from '../seal/store.ts';
import type { Parts } from '../snapshot/manifest.ts';

/** A frame of a pack. */
export interface FramePlace {
  pack: Digest;
  /** In the pack, in bytes. */
  offset: number;
  length: number;
  /** Decompressed, in bytes. */
  size: number;
  /** How many are in it. */
  chunks: number;
}

/** Where a chunk is. */
export interface ChunkPlace {
  frame: FramePlace;
  /** In the decompressed frame. */
  offset: number;
  size: number;
}

/** Where every chunk of a snapshot is, from its indexes. */
export class ChunkPlaces {
  readonly #table = new ChunkTable();
  readonly #frames: FramePlace[] = [];
  /** Per chunk: number of its frame, offset in it, size. */
  #places = new Uint32Array(3 * 1024);
  #damage: DamagedError | undefined;

  /** An index that is damaged tells of none: what others tell of can be read all the same. */
  static async load(store: Store, { indexes, packs }: Parts): Promise<ChunkPlaces> {
    const places = new ChunkPlaces();
    const needed = new Set(packs.map(({ digest }) => digest));
    for (const index of indexes) {
      try {
        const { packs } = await readPackIndex(store, index);
        for (const contents of packs) if (needed.delete(contents.pack)) places.#add(contents);
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
        places.#damage ??= error;
      }
    }
    return places;
  }

  /** Why a chunk may not be found: what is wrong with an index, if anything. */
  get damage(): DamagedError | undefined {
    return this.#damage;
  }

  find(hex: string): ChunkPlace | undefined {
    const number = this.#table.findHex(hex);
    if (number < 0) return undefined;
    const [frame, offset, size] = this.#places.subarray(number * 3, number * 3 + 3);
    return { frame: this.#frames[frame!]!, offset: offset!, size: size! };
  }

  #add({ pack, frames }: PackContents): void {
    let at = 0;
    for (const { length, sizes, chunks } of frames) {
      const { offsets, length: size } = offsetsIn(sizes);
      this.#frames.push({ pack, offset: at, length, size, chunks: sizes.length });
      const digests = Buffer.from(chunks, 'hex');
      for (const [i, offset] of offsets.entries()) this.#place(digests, i, offset, sizes[i]!);
      at += length;
    }
  }

  #place(digests: Buffer, i: number, offset: number, size: number): void {
    const number = this.#table.add(digests, i * digestBytes);
    if (number * 3 >= this.#places.length) {
      const larger = new Uint32Array(this.#places.length * 2);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places.set([this.#frames.length - 1, offset, size], number * 3);
  }
}
