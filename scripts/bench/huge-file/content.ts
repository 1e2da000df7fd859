import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { seededRandom } from '../../../test/support/seeded-random.ts';

const piece = 1024 * 1024;
const lineLength = 128;
/** One piece in so many is noise. */
const noiseEvery = 32;

/** So many gigabytes of which no two pieces are alike: lines of a log that hardly differ, and now and then noise. */
export function writeDistinct(path: string, gigabytes: number): void {
  const random = seededRandom(1);
  const text = Buffer.from(
    `${'2026-11-22T16:00:00 GET /api/v1/nodes/______ HTTP/1.1 200 '.padEnd(lineLength - 1, 'ok ')}\n`.repeat(
      piece / lineLength,
    ),
  );
  const noise = Buffer.from(Array.from({ length: piece }, () => random() * 256));
  const file = openSync(path, 'w');
  for (let number = 0; number < (gigabytes * 1e9) / piece; number++) {
    const bytes = number % noiseEvery === 0 ? noise : text;
    stamp(bytes, number);
    writeSync(file, bytes);
  }
  closeSync(file);
}

/** Six letters in each line that no other piece has there. */
function stamp(bytes: Buffer, number: number): void {
  let state = number + 1;
  for (let at = 38; at < bytes.length; at += lineLength) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    let bits = state ^ (state >>> 13);
    for (let i = 0; i < 6; i++, bits >>>= 5) bytes[at + i] = 97 + (bits & 15);
  }
}

/** A file of so many gigabytes with a megabyte at its beginning, its middle and its end. */
export function writeSparse(path: string, gigabytes: number): void {
  const size = gigabytes * 1e9;
  const file = openSync(path, 'w');
  for (const at of [0, size / 2, size - piece])
    writeSync(file, Buffer.alloc(piece, 'a line of text\n'), 0, piece, at);
  ftruncateSync(file, size);
  closeSync(file);
}

/** In the middle. */
export function changeOneByte(path: string, gigabytes: number): void {
  const middle = (gigabytes * 1e9) / 2 + 100;
  const byte = Buffer.alloc(1);
  const file = openSync(path, 'r+');
  readSync(file, byte, 0, 1, middle);
  byte[0]! ^= 1;
  writeSync(file, byte, 0, 1, middle);
  closeSync(file);
}
