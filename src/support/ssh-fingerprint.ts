import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SignatureError } from './errors.ts';

/**
 * The fingerprint of the key that an armoured signature says it was made with, which is not checked: `SHA256:…`.
 * Source: PROTOCOL.sshsig of OpenSSH, "Blob format": magic, version, then the public key with its length before it.
 * @throws {SignatureError} when it is no signature
 */
export function fingerprintIn(signature: string): string {
  const bytes = Buffer.from(signature.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  const begin = 'SSHSIG'.length + 4 + 4;
  const length = bytes.length < begin ? 0 : bytes.readUInt32BE(begin - 4);
  if (length === 0 || begin + length > bytes.length)
    throw new SignatureError('reading a signature: it is not one');
  return fingerprintOf(bytes.subarray(begin, begin + length));
}

/**
 * The fingerprint of the public key in a `.pub` file: `SHA256:…`; `undefined` when there is none.
 * Source: RFC 4253 section 6.6 (the key's bytes), and the way OpenSSH prints their SHA-256.
 */
export async function sshKeyFingerprint(publicKeyFile: string): Promise<string | undefined> {
  const text = await readFile(publicKeyFile, 'utf8').catch(() => '');
  const key = /^[\w@.-]+ ([\w+/=]+)/.exec(text)?.[1];
  return key && fingerprintOf(Buffer.from(key, 'base64'));
}

/** As OpenSSH prints it. @param publicKey its bytes, with its kind */
export function fingerprintOf(publicKey: Uint8Array): string {
  return `SHA256:${hash('sha256', publicKey, 'base64').replace(/=+$/, '')}`;
}
