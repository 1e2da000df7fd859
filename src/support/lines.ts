import type { Readable } from 'node:stream';

/** A stream's lines without their ends; whatever is behind the last end is a line too. */
export async function* linesOf(stream: Readable, encoding: 'utf8' | 'latin1'): AsyncGenerator<string> {
  let begun = '';
  for await (const text of stream.setEncoding(encoding)) {
    const lines = (begun + text).split('\n');
    begun = lines.pop() ?? '';
    yield* lines;
  }
  if (begun !== '') yield begun;
}
