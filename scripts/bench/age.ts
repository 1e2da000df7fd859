/**
 * How fast one core encrypts 64 MiB, whole and in pieces, and decrypts them; medians of seven rounds after two to warm
 * up.
 */
import { randomBytes } from 'node:crypto';
import { decryptBytes } from '../../src/repository/age/decrypt.ts';
import { Encryptor, encryptBytes } from '../../src/repository/age/encrypt.ts';
import { generateIdentity } from '../../src/repository/age/keys.ts';

const identity = generateIdentity();
const plaintext = randomBytes(64 * 1024 * 1024);
const file = encryptBytes(plaintext, [identity]);

const piece = 1024 * 1024;

function encryptInPieces(bytes: Uint8Array): void {
  const encryptor = new Encryptor([identity]);
  for (let i = 0; i < bytes.length; i += piece) takeAll(encryptor.update(bytes.subarray(i, i + piece)));
  takeAll(encryptor.final());
}

function takeAll(pieces: Iterable<Uint8Array>): void {
  for (const _ of pieces);
}

function gigabytesPerSecond(work: () => void): string {
  const rates = Array.from({ length: 9 }, () => {
    const start = performance.now();
    work();
    return plaintext.length / 1e6 / (performance.now() - start);
  });
  const [, , ...warm] = rates;
  return (warm.sort((a, b) => a - b)[3] ?? 0).toFixed(2);
}

console.log(`encrypt whole      ${gigabytesPerSecond(() => encryptBytes(plaintext, [identity]))} GB/s`);
console.log(`encrypt in pieces  ${gigabytesPerSecond(() => encryptInPieces(plaintext))} GB/s`);
console.log(`decrypt whole      ${gigabytesPerSecond(() => decryptBytes(file, [identity], 'a file'))} GB/s`);
