import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Digest } from '../../oci/digest.ts';
import { counted } from '../../support/counted.ts';
import { type Compression, codecOf } from '../codec.ts';
import { CountingHash } from '../counting-hash.ts';
import { decompress } from '../decompress.ts';

/** What a layer's bytes turned out to be. */
export interface LayerDigests {
  /** Of the bytes as they came. */
  digest: Digest;
  size: number;
  compression: Compression | undefined;
  /** Of the tar inside; the same as `digest` when it is not compressed. */
  diffId: Digest;
  uncompressedSize: number;
}

/**
 * Passes a layer on unchanged and returns what passed. A compressed layer is decompressed on the side, for
 * its diff id.
 * @param what names the layer in errors
 * @param onUnpacked is told of the bytes that a compressed layer expands to, and may throw
 * @throws {DamagedError} when a compressed layer cannot be decompressed
 */
export async function* digested(
  content: AsyncIterable<Uint8Array>,
  what: string,
  onUnpacked: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array, LayerDigests> {
  const whole = new CountingHash();
  let inside: InsideHash | undefined;
  try {
    for await (const piece of content) {
      const compression = whole.size === 0 ? codecOf(piece) : undefined;
      if (compression !== undefined) inside = new InsideHash(compression, what, onUnpacked);
      whole.update(piece);
      await inside?.update(piece);
      yield piece;
    }
    const [digest, size] = [whole.digest(), whole.size];
    const tar = inside === undefined ? { digest, size } : await inside.finish();
    return { digest, size, compression: inside?.compression, diffId: tar.digest, uncompressedSize: tar.size };
  } finally {
    inside?.close();
  }
}

/** Reads a layer to its end. @param onPiece is given what passes; the next piece waits for it */
export async function digestsOf(
  content: AsyncIterable<Uint8Array>,
  what: string,
  onUnpacked?: (bytes: number) => void,
  onPiece?: (piece: Uint8Array) => Promise<void>,
): Promise<LayerDigests> {
  let digests: LayerDigests | undefined;
  async function* passing() {
    digests = yield* digested(content, what, onUnpacked);
  }
  for await (const piece of passing()) await onPiece?.(piece);
  return digests!;
}

/** Hashes what compressed bytes stand for, while they pass. */
class InsideHash {
  readonly compression: Compression;
  readonly #compressed = new PassThrough({ highWaterMark: 1 << 20 });
  readonly #hashing: Promise<{ digest: Digest; size: number }>;

  constructor(compression: Compression, what: string, onUnpacked: (bytes: number) => void) {
    this.compression = compression;
    this.#hashing = hashAll(counted(decompress(compression, this.#compressed, what), onUnpacked));
    this.#hashing.catch(() => this.#compressed.destroy());
  }

  async update(piece: Uint8Array): Promise<void> {
    if (this.#compressed.destroyed) await this.#hashing;
    if (this.#compressed.write(piece)) return;
    await Promise.race([once(this.#compressed, 'drain'), this.#hashing]);
  }

  finish(): Promise<{ digest: Digest; size: number }> {
    this.#compressed.end();
    return this.#hashing;
  }

  close(): void {
    this.#compressed.destroy();
  }
}

async function hashAll(bytes: AsyncIterable<Uint8Array>): Promise<{ digest: Digest; size: number }> {
  const hash = new CountingHash();
  for await (const piece of bytes) hash.update(piece);
  return { digest: hash.digest(), size: hash.size };
}
