import { DamagedError, SignatureError } from '../../support/errors.ts';
import { decodeHeader, headerLength, isAuthentic } from './header.ts';
import type { Identity } from './keys.ts';
import { nonceBytes, PayloadOpener, sealedChunkBytes } from './payload.ts';
import { Regrouper } from './regroup.ts';
import type { Stanza } from './stanza.ts';
import { unwrapFileKey } from './x25519.ts';

/**
 * Opens one age v1 file as it comes, in pieces of any length; what it returns is authentic, but only after `final`
 * is it known to be all. Synchronous, for use in workers. `what` names the file in messages.
 *
 * Every method throws `DamagedError` when the file is not what its recipient's key says, and `SignatureError` when
 * none of `identities` opens it.
 */
export class Decryptor {
  readonly #identities: readonly Identity[];
  readonly #what: string;
  readonly #groups = new Regrouper(sealedChunkBytes);
  #prologue: Uint8Array = new Uint8Array(0);
  #opener: PayloadOpener | undefined;
  #chunks = 0;

  constructor(identities: readonly Identity[], what: string) {
    this.#identities = identities;
    this.#what = what;
  }

  /** Returns what plaintext is ready, in order; often nothing. */
  update(bytes: Uint8Array): Uint8Array[] {
    const sealed = this.#opener === undefined ? this.#beginWith(bytes) : bytes;
    return Array.from(this.#groups.push(sealed), (run) => this.#open(run, false));
  }

  /** Returns the end of the plaintext. Call it once. */
  final(): Uint8Array[] {
    return [this.#open(this.#groups.rest(), true)];
  }

  /** Returns what of `bytes` lies behind the header. */
  #beginWith(bytes: Uint8Array): Uint8Array {
    this.#prologue = Buffer.concat([this.#prologue, bytes]);
    const begun = beginFile(this.#prologue, this.#identities, this.#what);
    if (begun === undefined) return new Uint8Array(0);
    this.#opener = begun.opener;
    this.#prologue = new Uint8Array(0);
    return begun.sealed;
  }

  #open(sealed: Uint8Array, last: boolean): Uint8Array {
    const plaintext = this.#opener?.open(sealed, { first: this.#chunks, last }) ?? refuseDamaged(this.#what);
    this.#chunks += Math.ceil(sealed.length / sealedChunkBytes);
    return plaintext;
  }
}

/** Opens a whole file. Synchronous, for use in workers. Throws as `Decryptor` does. */
export function decryptBytes(file: Uint8Array, identities: readonly Identity[], what: string): Uint8Array {
  const begun = beginFile(file, identities, what);
  return begun?.opener.open(begun.sealed, { first: 0, last: true }) ?? refuseDamaged(what);
}

/** Opens a file as it streams by. Throws as `Decryptor` does. */
export async function* decryptStream(
  file: AsyncIterable<Uint8Array>,
  identities: readonly Identity[],
  what: string,
): AsyncGenerator<Uint8Array> {
  const decryptor = new Decryptor(identities, what);
  for await (const piece of file) yield* decryptor.update(piece);
  yield* decryptor.final();
}

/** Reads header and nonce; `undefined` when `bytes` end before they do. Throws as `Decryptor` does. */
export function beginFile(
  bytes: Uint8Array,
  identities: readonly Identity[],
  what: string,
): { opener: PayloadOpener; sealed: Uint8Array } | undefined {
  const length = headerLength(bytes);
  if (length === undefined) return undefined;
  const header = length < 0 ? undefined : decodeHeader(bytes.subarray(0, length));
  if (header === undefined) throw new DamagedError(`${what}: it does not begin with a header of age`);
  const fileKey = findFileKey(header.stanzas, identities, what);
  if (!isAuthentic(header, fileKey)) throw new DamagedError(`${what}: its age header was altered`);
  const begin = length + nonceBytes;
  if (bytes.length < begin) return undefined;
  const opener = new PayloadOpener(fileKey, bytes.subarray(length, begin));
  return { opener, sealed: bytes.subarray(begin) };
}

function findFileKey(stanzas: readonly Stanza[], identities: readonly Identity[], what: string): Uint8Array {
  for (const stanza of stanzas) {
    for (const identity of identities) {
      const fileKey = unwrapFileKey(stanza, identity);
      if (fileKey === 'malformed') throw new DamagedError(`${what}: its age header is malformed`);
      if (fileKey !== undefined) return fileKey;
    }
  }
  const why =
    identities.length === 0
      ? 'it is encrypted, and no private key is at hand'
      : 'no private key given opens it';
  throw new SignatureError(`${what}: ${why}`, {
    advice: 'Give the identity file of one of its recipients with `--identity FILE`',
  });
}

/** @throws {DamagedError} in the one way in which all damage behind the header is told */
export function refuseDamaged(what: string): never {
  throw new DamagedError(`${what}: what it holds was altered or cut off after it was encrypted`);
}
