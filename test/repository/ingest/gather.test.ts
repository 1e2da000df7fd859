import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gathered } from '../../../src/repository/ingest/gather.ts';
import fc from '../../support/property.ts';

test('pieces of any size come out as large ones, each with memory of its own', async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 400_000 })));
  await fc.assert(
    fc.asyncProperty(sizes, async (chosen) => {
      const length = chosen.reduce((sum, size) => sum + size, 0);
      const source = Buffer.from(Uint8Array.from({ length }, (_, at) => at * 7));
      const pieces = await Array.fromAsync(gathered(cut(source, chosen)));
      assert.ok(Buffer.concat(pieces).equals(source));
      assert.ok(pieces.every(({ length, buffer }) => length === buffer.byteLength));
      assert.ok(pieces.slice(0, -1).every(({ length }) => length === 128 * 1024));
      assert.ok(pieces.every(({ length }) => length > 0));
    }),
    { numRuns: 30 },
  );
});

/** The memory of each is used again once the next is asked for. */
async function* cut(source: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    const piece = Buffer.from(source.subarray(at, at + size));
    at += size;
    yield piece;
    piece.fill(0);
  }
}

test('a stream that fails passes its failure on', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    throw new Error('torn');
  }
  const error = await Array.fromAsync(gathered(failing())).catch((reason: Error) => reason.message);
  assert.is(error, 'torn');
});

test.run();
