import { createHash } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';

/** The digest of bytes that pass, and how many they are. */
export class CountingHash {
  size = 0;
  readonly #hash = createHash('sha256');

  update(piece: Uint8Array): void {
    this.size += piece.length;
    this.#hash.update(piece);
  }

  /** Passes all of `content` on. */
  async *passing(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      this.update(piece);
      yield piece;
    }
  }

  digest(): Digest {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}
