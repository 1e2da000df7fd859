import { once } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * Reads to the end, for a program waits for its reader, or until the stream is closed without one; keeps the first
 * `limit` bytes. To be called before the stream may have closed.
 */
export async function firstBytes(stream: Readable, limit: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  stream.on('data', (piece: Buffer) => {
    if (length < limit) pieces.push(piece.subarray(0, limit - length));
    length += piece.length;
  });
  await once(stream, 'close');
  return Buffer.concat(pieces).toString('utf8');
}
