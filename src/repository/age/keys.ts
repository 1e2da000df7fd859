import { randomBytes } from 'node:crypto';
import { decodeAgeKey, encodeAgeKey, isPrivateAgeKey, nameWrongRecipient } from '../../support/age-key.ts';
import { SignatureError, UsageError } from '../../support/errors.ts';
import { publicKeyOf } from './x25519.ts';

/** Whom a file is encrypted to. Plain data: it can be sent to a worker. */
export interface Recipient {
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Who can open it. The host keeps none; nothing prints one but the command that makes it. */
export interface Identity extends Recipient {
  /** X25519, 32 bytes. */
  readonly secretKey: Uint8Array;
}

/** A new private key, of random bytes. */
export function generateIdentity(): Identity {
  return identityFrom(randomBytes(32));
}

/** `age1…`, as `recipients` of a deployment file and `age -r` take it. */
export function encodeRecipient({ publicKey }: Recipient): string {
  return encodeAgeKey('age', publicKey);
}

/** @throws {UsageError} when `text` is not an X25519 recipient. */
export function decodeRecipient(text: string): Recipient {
  const publicKey = decodeAgeKey(text, 'age');
  if (publicKey !== undefined) return { publicKey };
  const shown = isPrivateAgeKey(text) ? 'AGE-SECRET-KEY-…' : text;
  throw new UsageError(`reading the recipient ${JSON.stringify(shown)}: it ${nameWrongRecipient(text)}`, {
    advice: isPrivateAgeKey(text)
      ? 'Keep it secret, and give its recipient, as `age-keygen -y FILE` prints it'
      : 'Give one that begins with `age1`, as `dockerctl backup key generate` or `age-keygen` prints it',
  });
}

/** `AGE-SECRET-KEY-1…`, as `age -i` reads it from a file. */
export function encodeIdentity({ secretKey }: Identity): string {
  return encodeAgeKey('AGE-SECRET-KEY-', secretKey);
}

/**
 * Reads an identity file: one identity a line, blank lines and `#` comments between them. `file` names it in messages,
 * which never show its content.
 *
 * @throws {SignatureError} when a line is anything else, or there is no identity.
 */
export function decodeIdentities(text: string, file: string): Identity[] {
  if (/^(age-encryption\.org|-----BEGIN AGE ENCRYPTED FILE)/.test(text)) {
    throw unusable(
      file,
      'it is encrypted itself',
      `Decrypt it on the way: age -d ${file} | dockerctl … --identity -`,
    );
  }
  if (/^(-----BEGIN [A-Z ]*PRIVATE KEY|ssh-|ecdsa-)/.test(text)) throw unusable(file, 'it is a key of SSH');
  const identities: Identity[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    const secretKey = decodeAgeKey(line, 'AGE-SECRET-KEY-');
    if (secretKey === undefined) throw unusable(file, `line ${index + 1} is ${nameWrongLine(line)}`);
    identities.push(identityFrom(secretKey));
  }
  if (identities.length === 0) throw unusable(file, 'it holds no identity');
  return identities;
}

function identityFrom(secretKey: Uint8Array): Identity {
  return { secretKey, publicKey: publicKeyOf(secretKey) };
}

function nameWrongLine(line: string): string {
  if (line.startsWith('age1')) return 'a recipient, which encrypts and does not decrypt';
  if (line.startsWith('AGE-PLUGIN-')) return 'an identity of a plugin, which the age program alone can use';
  if (/^age-secret-key-1/i.test(line)) {
    return 'a private key with a mistake: a character is wrong, missing or too many, or not a capital';
  }
  return 'not an X25519 identity of age';
}

const wantedFile =
  'Give the file that holds the line AGE-SECRET-KEY-1… printed by `dockerctl backup key generate`';

function unusable(file: string, what: string, advice = wantedFile): SignatureError {
  return new SignatureError(`reading the private key from ${file}: ${what}`, { advice });
}
