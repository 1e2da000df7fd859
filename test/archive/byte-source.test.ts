import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { streamSource } from '../../src/archive/byte-source.ts';

const content = randomBytes(100_000);

/** Every piece lies in the same memory, and is spoiled as soon as the next one is asked for. */
async function* overwritten(sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, i = 0; at < content.length; i++) {
    const size = Math.min(sizes[i % sizes.length]!, content.length - at);
    content.copy(memory, 0, at, at + size);
    yield memory.subarray(0, size);
    memory.fill(0);
    at += size;
  }
}

for (const sizes of [[1], [7, 0, 4096], [65_536], [1000, 1, 30_000]]) {
  test(`a stream whose memory is used again is read right, in pieces of ${sizes.join(', ')}`, async () => {
    const source = streamSource(overwritten(sizes), 'test');
    let at = 0;
    const expect = (bytes: Uint8Array, length: number, what: string) => {
      assert.ok(content.subarray(at, at + length).equals(bytes), `${what} at ${at}`);
    };
    while (at < content.length) {
      const left = content.length - at;
      expect(await source.peek(512), Math.min(512, left), 'peek');
      expect(await source.take(300), Math.min(300, left), 'take');
      at = source.position;
      const wanted = Math.min(5000, content.length - at);
      for await (const piece of source.pieces(wanted)) {
        expect(piece, piece.length, 'pieces');
        at += piece.length;
      }
      const skipped = Math.min(700, content.length - at);
      await source.skip(skipped);
      at += skipped;
      assert.is(source.position, at);
    }
    assert.is((await source.take(1)).length, 0);
  });
}

test.run();
