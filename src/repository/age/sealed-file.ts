import type { BlobFile } from '../../oci/blob-file.ts';
import { freeNow } from '../../support/free-now.ts';
import { beginFile, refuseDamaged } from './decrypt.ts';
import { maximumHeaderBytes } from './header.ts';
import type { Identity } from './keys.ts';
import { chunkBytes, nonceBytes, type PayloadOpener, sealedChunkBytes, tagBytes } from './payload.ts';

/** Bytes in which header and nonce lie, unless there are hundreds of recipients. */
const usualPrologue = 16 * 1024;

/**
 * Any part of an age file's plaintext, without decrypting what is before it. Of what it returns every byte is
 * authentic and in its place.
 */
export class SealedFile {
  readonly #file: BlobFile;
  readonly #opener: PayloadOpener;
  readonly #what: string;
  /** Where the first chunk begins, and how many bytes of chunks there are. */
  readonly #begin: number;
  readonly #sealed: number;

  private constructor(
    file: BlobFile,
    opener: PayloadOpener,
    what: string,
    place: { begin: number; sealed: number },
  ) {
    this.#file = file;
    this.#opener = opener;
    this.#what = what;
    this.#begin = place.begin;
    this.#sealed = place.sealed;
  }

  /** Throws as `decryptBytes` does. */
  static async open(file: BlobFile, identities: readonly Identity[], what: string): Promise<SealedFile> {
    for (let length = usualPrologue; ; length *= 8) {
      const beginning = await file.read(0, length);
      const begun = beginFile(beginning, identities, what);
      if (begun !== undefined) {
        const begin = beginning.length - begun.sealed.length;
        return new SealedFile(file, begun.opener, what, { begin, sealed: file.size - begin });
      }
      if (beginning.length < length || length > maximumHeaderBytes + nonceBytes) refuseDamaged(what);
    }
  }

  /** The plaintext from `offset` on: `length` bytes, or fewer when it ends before. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const chunks = Math.max(1, Math.ceil(this.#sealed / sealedChunkBytes));
    const end = Math.min(offset + length, this.#sealed - chunks * tagBytes);
    if (end <= offset) return new Uint8Array(0);
    const first = Math.floor(offset / chunkBytes);
    const behind = Math.ceil(end / chunkBytes);
    const sealed = await this.#readChunks(first, behind);
    const plaintext = this.#opener.open(sealed, { first, last: behind === chunks });
    freeNow(sealed);
    if (plaintext === undefined) refuseDamaged(this.#what);
    return plaintext.subarray(offset - first * chunkBytes, end - first * chunkBytes);
  }

  #readChunks(first: number, behind: number): Promise<Uint8Array> {
    const from = first * sealedChunkBytes;
    const length = Math.min(behind * sealedChunkBytes, this.#sealed) - from;
    return this.#file.read(this.#begin + from, length);
  }
}
