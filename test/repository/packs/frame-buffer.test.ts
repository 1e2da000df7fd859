import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import { FrameBuffer, FrameBuffers } from '../../../src/repository/packs/frame-buffer.ts';

test('chunks that are not wanted are taken out of a frame', async () => {
  const buffers = new FrameBuffers(1);
  const contents = [1, 600, 512, 2000].map((size) => randomBytes(size));
  for (let bits = 0; bits < 16; bits++) {
    const wanted = contents.map((_, i) => (bits >> i) & 1);
    const [frame, expected] = [await buffers.acquire(), new FrameBuffer()];
    for (const content of contents) frame.addCopy(hexOf(digestOf(content)), content);
    for (const [i, content] of contents.entries())
      if (wanted[i] === 1) expected.addCopy(hexOf(digestOf(content)), content);
    frame.keep(Uint8Array.from(wanted));
    assert.ok(frame.bytes.equals(expected.bytes) && frame.digests.equals(expected.digests), String(wanted));
    assert.equal(frame.sizes, expected.sizes);
    buffers.release(frame);
  }
});

test('what lies behind a chunk becomes the beginning of the next', () => {
  const content = randomBytes(10_000);
  for (const size of [1, 511, 512, 513, 1024, 5000]) {
    const frame = new FrameBuffer();
    frame.content(content.length).set(content);
    const first = frame.addChunk(size, content.length - size);
    assert.is(first, hexOf(digestOf(content.subarray(0, size))));
    const second = frame.addChunk(content.length - size);
    assert.is(second, hexOf(digestOf(content.subarray(size))));
    assert.is(frame.digests.toString('hex'), first + second);
    assert.equal(frame.sizes, [size, content.length - size]);
  }
});

test('an empty frame has room for the largest chunk, another up to its limit', () => {
  const frame = new FrameBuffer();
  assert.is(frame.room, 4 * 1024 * 1024);
  frame.addChunk(512);
  assert.is(frame.room, 3 * 1024 * 1024 - 1024 - 512);
  frame.clear();
  frame.addChunk(4 * 1024 * 1024);
  assert.is(frame.room, 0);
});

test('who asks for a buffer while all are taken waits for one that is released', async () => {
  const buffers = new FrameBuffers(1);
  const first = await buffers.acquire();
  first.addChunk(100);
  const second = buffers.acquire();
  buffers.release(first);
  assert.is(await second, first);
  assert.ok(first.isEmpty);
});

test.run();
