import { bech32 } from '@scure/base';

/** What the text of a key begins with, and thereby what kind it is. */
type Prefix = 'age' | 'AGE-SECRET-KEY-';

/** A key of age as text. Bech32 allows either case; age wants recipients in lower and identities in upper case. */
export function encodeAgeKey(prefix: Prefix, bytes: Uint8Array): string {
  const text = bech32.encodeFromBytes(prefix, bytes);
  return prefix === 'age' ? text : text.toUpperCase();
}

/** Its 32 bytes; `undefined` when it is of another kind, or mistyped, which its checksum tells. */
export function decodeAgeKey(text: string, prefix: Prefix): Uint8Array | undefined {
  if (!text.startsWith(`${prefix}1`)) return undefined;
  const decoded = bech32.decodeUnsafe(text);
  if (decoded === undefined || decoded.prefix !== prefix.toLowerCase()) return undefined;
  const bytes = bech32.fromWordsUnsafe(decoded.words);
  return bytes?.length === 32 ? bytes : undefined;
}

/** Whether a text begins like a private key, right or mistyped: such a one is shown to nobody. */
export function isPrivateAgeKey(text: string): boolean {
  return /^AGE-(SECRET-KEY|PLUGIN)-/i.test(text);
}

/**
 * Why `text`, which `decodeAgeKey` does not take, is no recipient. In bech32 the kind stands before the last `1`.
 */
export function nameWrongRecipient(text: string): string {
  if (isPrivateAgeKey(text)) return 'is a private key';
  if (/^(ssh-|ecdsa-|sk-)/.test(text)) return 'is a key of SSH, not an X25519 recipient of age';
  const kind = text.slice(0, text.lastIndexOf('1'));
  if (kind === 'age') return 'has a mistake: a character is wrong, missing or too many';
  if (/^age1[a-z0-9-]+$/.test(kind))
    return `is of the kind ${kind}, which the age program alone can encrypt to`;
  return 'is not an X25519 recipient of age';
}
