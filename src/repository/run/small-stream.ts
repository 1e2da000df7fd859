import { hash } from 'node:crypto';
import { chunkLimits } from '../chunks/gear.ts';

/** A stream's content if it is short enough to be one chunk, else the same stream to read on. */
export type Peeked = { whole: Buffer } | { stream: AsyncIterable<Uint8Array> };

/** Reads on until a stream ends or is too long to be one small chunk. */
export async function peek(content: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reading = content[Symbol.asyncIterator]();
  while (length <= chunkLimits.minimum) {
    const { value, done } = await reading.next();
    if (done === true) return { whole: Buffer.concat(pieces) };
    pieces.push(value);
    length += value.length;
  }
  return { stream: continued(pieces, reading) };
}

async function* continued(
  pieces: readonly Uint8Array[],
  reading: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
    yield* { [Symbol.asyncIterator]: () => reading };
  } finally {
    await reading.return?.();
  }
}

/** The chunks of content that is one chunk, or none. */
export function chunksOfSmall(whole: Buffer): string[] {
  return whole.length === 0 ? [] : [hash('sha256', whole)];
}
