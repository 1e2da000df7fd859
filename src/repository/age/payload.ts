import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { freeNow } from '../../support/free-now.ts';
import { deriveKey } from './derive.ts';

/** Bytes of plaintext in every chunk but the last. */
export const chunkBytes = 64 * 1024;
export const tagBytes = 16;
/** Bytes of the random value between header and chunks. */
export const nonceBytes = 16;
/** Bytes of ciphertext in every chunk but the last. */
export const sealedChunkBytes = chunkBytes + tagBytes;

/**
 * Encrypts the chunks of one file in order. Source: C2SP age specification, "Payload": ChaCha20-Poly1305 whose nonce
 * is the chunk's number and whether it is the last.
 */
export class PayloadSealer {
  readonly #key: KeyObject;
  readonly #nonces = new ChunkNonces();

  constructor(fileKey: Uint8Array, nonce: Uint8Array) {
    this.#key = payloadKey(fileKey, nonce);
  }

  /**
   * Writes the ciphertext of `plaintext` to `output`, which has `sealedSize` bytes for it. Until the last call the
   * plaintext must be a multiple of `chunkBytes`.
   */
  seal(plaintext: Uint8Array, last: boolean, output: Uint8Array): void {
    const chunks = Math.max(1, Math.ceil(plaintext.length / chunkBytes));
    for (let i = 0; i < chunks; i++) {
      const chunk = plaintext.subarray(i * chunkBytes, (i + 1) * chunkBytes);
      const nonce = this.#nonces.next(last && i === chunks - 1);
      const cipher = createCipheriv('chacha20-poly1305', this.#key, nonce, { authTagLength: tagBytes });
      const sealed = cipher.update(chunk);
      output.set(sealed, i * sealedChunkBytes);
      freeNow(sealed);
      cipher.final();
      output.set(cipher.getAuthTag(), i * sealedChunkBytes + chunk.length);
    }
  }
}

/** Decrypts chunks of one file, in any order. */
export class PayloadOpener {
  readonly #key: KeyObject;
  readonly #nonces = new ChunkNonces();

  constructor(fileKey: Uint8Array, nonce: Uint8Array) {
    this.#key = payloadKey(fileKey, nonce);
  }

  /**
   * Returns the plaintext of `sealed`, which begins with chunk number `first`, or `undefined` when any of it is not
   * authentic: altered, in another place, cut off, or followed by more. Unless it ends with the `last` chunk it must be
   * a multiple of `sealedChunkBytes`.
   */
  open(sealed: Uint8Array, { first, last }: { first: number; last: boolean }): Uint8Array | undefined {
    const chunks = Math.max(1, Math.ceil(sealed.length / sealedChunkBytes));
    const size = sealed.length - chunks * tagBytes;
    // An empty chunk may only be the whole of an empty file.
    const lastSize = size - (chunks - 1) * chunkBytes;
    if (lastSize < 0 || (lastSize === 0 && first + chunks > 1)) return undefined;
    const plaintext = Buffer.allocUnsafeSlow(size);
    this.#nonces.count = first;
    for (let i = 0; i < chunks; i++) {
      const chunk = sealed.subarray(i * sealedChunkBytes, (i + 1) * sealedChunkBytes);
      const opened = this.#openChunk(chunk, last && i === chunks - 1);
      if (opened === undefined) return undefined;
      plaintext.set(opened, i * chunkBytes);
      freeNow(opened);
    }
    return plaintext;
  }

  #openChunk(chunk: Uint8Array, last: boolean): Uint8Array | undefined {
    const nonce = this.#nonces.next(last);
    const decipher = createDecipheriv('chacha20-poly1305', this.#key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(chunk.subarray(-tagBytes));
    const plaintext = decipher.update(chunk.subarray(0, -tagBytes));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return plaintext;
  }
}

/** Bytes of ciphertext that `size` bytes of plaintext become. */
export function sealedSize(size: number): number {
  return size + Math.max(1, Math.ceil(size / chunkBytes)) * tagBytes;
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): KeyObject {
  return createSecretKey(deriveKey(fileKey, nonce, 'payload'));
}

/** Eleven bytes of chunk number, big-endian, then one that is 1 for the last chunk. */
class ChunkNonces {
  /** Number of the next chunk. */
  count = 0;
  readonly #nonce = Buffer.alloc(12);

  /** Valid until the next call. */
  next(last: boolean): Uint8Array {
    this.#nonce.writeUIntBE(this.count++, 5, 6);
    this.#nonce[11] = last ? 1 : 0;
    return this.#nonce;
  }
}
