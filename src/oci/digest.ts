import { createHash, hash } from 'node:crypto';
import { DamagedError } from '../support/errors.ts';

/** `sha256:` and 64 lower-case hex digits; the only algorithm we write or accept. */
export type Digest = `sha256:${string}`;

/** The digest of these bytes; of a text, of its UTF-8. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
}

/** Whether it is a digest, to the letter: what is none could name a file outside of the blobs. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The 64 hex digits, which name the blob's file. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** Where a blob lies in an image layout, whether that is a directory or in a tar. */
export function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** The digest of the blob that lies there, by its name; `undefined` for what is no blob. */
export function digestNamed(path: string): Digest | undefined {
  const digest = `sha256:${path.slice('blobs/sha256/'.length)}`;
  return path.startsWith('blobs/sha256/') && isDigest(digest) ? digest : undefined;
}

/**
 * Passes `bytes` on unchanged and throws at their end when digest or length differ from what was promised. As soon
 * as there are more bytes than promised it stops, so no size is trusted.
 */
export async function* verified(
  bytes: AsyncIterable<Uint8Array>,
  want: { digest: Digest; size?: number },
  what: string,
): AsyncGenerator<Uint8Array> {
  const sha256 = createHash('sha256');
  let size = 0;
  for await (const piece of bytes) {
    size += piece.length;
    if (want.size !== undefined && size > want.size) break;
    sha256.update(piece);
    yield piece;
  }
  if (want.size !== undefined && size !== want.size) {
    const got = size > want.size ? `more than ${want.size}` : `${size}`;
    throw new DamagedError(`${what}: has ${got} bytes, should have ${want.size}`, {
      facts: { got: size, want: want.size },
    });
  }
  const got: Digest = `sha256:${sha256.digest('hex')}`;
  if (got !== want.digest) {
    throw new DamagedError(`${what}: its bytes have digest ${got}, should have ${want.digest}`, {
      facts: { got, want: want.digest },
    });
  }
}
