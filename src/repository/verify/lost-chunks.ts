import type { Digest } from '../../oci/digest.ts';
import { ChunkTable, digestBytes } from '../chunks/table.ts';

/** Chunks that cannot be read from the packs that they are in; of hundreds of packs they fit in memory. */
export class LostChunks {
  readonly #table = new ChunkTable();
  readonly #packs: Digest[] = [];
  /** Per chunk the position of its pack; a few are in several. */
  readonly #places: (number | number[])[] = [];

  /** @param chunks their digests in hex, joined */
  add(pack: Digest, chunks: string): void {
    const place = this.#packs.push(pack) - 1;
    const digests = Buffer.from(chunks, 'hex');
    for (let at = 0; at < digests.length; at += digestBytes) {
      const number = this.#table.add(digests, at);
      const known = this.#places[number];
      this.#places[number] = known === undefined ? place : [known, place].flat();
    }
  }

  /** The packs that a chunk was in. */
  packsOf(chunk: string): Digest[] {
    const number = this.#table.findHex(chunk);
    return number < 0 ? [] : [this.#places[number]!].flat().map((place) => this.#packs[place]!);
  }
}
