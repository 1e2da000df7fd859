import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inLargePieces } from '../../../src/engine/images/large-pieces.ts';
import { digestOf } from '../../../src/oci/digest.ts';

/** Reads of 64 KiB as a socket makes them, each handed on in two parts of the same memory, as an HTTP parser does. */
function* reads(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) {
    const read = Buffer.allocUnsafeSlow(65_536).fill(i % 251);
    yield read.subarray(0, 40_000);
    yield read.subarray(40_000);
  }
}

test('many small pieces become few large ones with the same bytes', async () => {
  const sizes: number[] = [];
  const copies: Buffer[] = [];
  for await (const piece of inLargePieces(Readable.from(reads(100), { objectMode: false }))) {
    sizes.push(piece.length);
    copies.push(Buffer.from(piece));
  }
  assert.ok(sizes.length < 8, `${sizes}`);
  assert.is(digestOf(Buffer.concat(copies)), digestOf(Buffer.concat([...reads(100)])));
});

test('one piece larger than a large one passes whole', async () => {
  const large = Buffer.allocUnsafeSlow(5 << 20).fill('dockerctl ');
  const want = digestOf(large);
  const copies: Buffer[] = [];
  for await (const piece of inLargePieces(Readable.from([large, Buffer.from('end')], { objectMode: false })))
    copies.push(Buffer.from(piece));
  const got = Buffer.concat(copies);
  assert.is(digestOf(got.subarray(0, 5 << 20)), want);
  assert.is(got.subarray(5 << 20).toString(), 'end');
});

test('nothing at all is nothing', async () => {
  for await (const _ of inLargePieces(Readable.from([]))) assert.unreachable();
});

test('what a stream fails with is thrown', async () => {
  async function* failing() {
    yield Buffer.alloc(10);
    throw new Error('the engine went away');
  }
  let thrown: unknown;
  try {
    for await (const _ of inLargePieces(Readable.from(failing())));
  } catch (error) {
    thrown = error;
  }
  assert.match(String(thrown), 'the engine went away');
});

test('a stream that is cut off is no end', async () => {
  const stream = new Readable({ read() {} });
  stream.push(Buffer.alloc(10));
  setImmediate(() => stream.destroy());
  let thrown: unknown;
  try {
    for await (const _ of inLargePieces(stream));
  } catch (error) {
    thrown = error;
  }
  assert.match(String(thrown), /premature/i);
});

test('who stops reading closes the stream', async () => {
  const stream = Readable.from(reads(1000), { objectMode: false });
  for await (const _ of inLargePieces(stream)) break;
  assert.ok(stream.destroyed);
});

test.run();
