import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { deriveKey } from './derive.ts';
import type { Identity, Recipient } from './keys.ts';
import type { Stanza } from './stanza.ts';

const kind = 'X25519';
/** Every wrapping key is used once, so its nonce may be fixed. */
const nonce = new Uint8Array(12);
const tagBytes = 16;

/**
 * Wraps a file key so that one identity can unwrap it. Source: C2SP age specification, "The X25519 recipient type".
 */
export function wrapFileKey(fileKey: Uint8Array, { publicKey }: Recipient): Stanza {
  const secret = randomBytes(32);
  const share = publicKeyOf(secret);
  const key = wrappingKey(agree(secret, publicKey), share, publicKey);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
  return { args: [kind, encodeBase64(share)], body };
}

/**
 * The file key when `stanza` was made for `identity`; `undefined` when it is another's or of another kind;
 * `malformed` when no identity could unwrap it.
 */
export function unwrapFileKey(stanza: Stanza, identity: Identity): Uint8Array | undefined | 'malformed' {
  const [type, argument, ...more] = stanza.args;
  if (type !== kind) return undefined;
  const share = decodeBase64(argument ?? '');
  if (share?.length !== 32 || more.length > 0 || stanza.body.length !== 16 + tagBytes) return 'malformed';
  let secret: Uint8Array;
  try {
    secret = agree(identity.secretKey, share);
  } catch {
    return 'malformed';
  }
  return open(stanza.body, wrappingKey(secret, share, identity.publicKey));
}

/** 32 bytes, of 32. */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKeyObject(secretKey)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(der.subarray(-32));
}

/** Throws for a public key of low order, whose shared secret everybody knows. */
function agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return diffieHellman({
    privateKey: privateKeyObject(secretKey),
    publicKey: publicKeyObject(publicKey),
  });
}

function wrappingKey(secret: Uint8Array, share: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return deriveKey(secret, Buffer.concat([share, publicKey]), 'age-encryption.org/v1/X25519');
}

function open(body: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(body.subarray(-tagBytes));
  const fileKey = decipher.update(body.subarray(0, -tagBytes));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return fileKey;
}

/** The fixed beginning of a PKCS #8 private key of this kind (RFC 8410); 32 bytes follow. */
const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
/** The same of a public key. */
const spki = Buffer.from('302a300506032b656e032100', 'hex');

function privateKeyObject(secretKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8, secretKey]), format: 'der', type: 'pkcs8' });
}

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([spki, publicKey]), format: 'der', type: 'spki' });
}
