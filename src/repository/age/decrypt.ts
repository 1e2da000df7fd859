import { DamagedError, SignatureError } from '../../support/errors.ts';
import { decodeHeader, headerLength, isAuthentic } from './header.ts';
import type { Identity } from './keys.ts';
import { nonceBytes, PayloadOpener } from './payload.ts';
import type { Stanza } from './stanza.ts';
import { unwrapFileKey } from './x25519.ts';

/**
 * Opens a whole age v1 file. Synchronous, for use in workers.
 * @param what names the file in messages
 * @throws {DamagedError} when it is not what its recipient's key says
 * @throws {SignatureError} when none of `identities` opens it
 */
export function decryptBytes(file: Uint8Array, identities: readonly Identity[], what: string): Uint8Array {
  const begun = beginFile(file, identities, what);
  return begun?.opener.open(begun.sealed, { first: 0, last: true }) ?? refuseDamaged(what);
}

/** Reads header and nonce; `undefined` when `bytes` end before they do. Throws as `decryptBytes` does. */
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
