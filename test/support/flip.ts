import { readFileSync, writeFileSync } from 'node:fs';

/** Damages a file by one bit: of the byte in its middle, if nothing else is said. */
export function flip(path: string, at?: number): void {
  const bytes = readFileSync(path);
  bytes[at ?? bytes.length >> 1]! ^= 4;
  writeFileSync(path, bytes);
}
