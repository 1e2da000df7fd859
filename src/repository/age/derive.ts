import { hkdfSync } from 'node:crypto';

/** HKDF with SHA-256, 32 bytes: how age makes every key from another one. `info` says what the key is for. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, 32));
}
