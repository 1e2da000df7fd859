import type { Readable } from 'node:stream';

/** Reads to the end, for a program waits for its reader, and keeps the first `limit` bytes. */
export async function firstBytes(stream: Readable, limit: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    if (length < limit) pieces.push(piece.subarray(0, limit - length));
    length += piece.length;
  }
  return Buffer.concat(pieces).toString('utf8');
}
