import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import {
  archiveEnd,
  chunksInFrame,
  endEntry,
  headerBytes,
  isChunkHeader,
  offsetsIn,
  spaceOf,
} from '../../../src/repository/packs/tar-frame.ts';

const chunks = [1, 511, 512, 513, 5000].map((size) => randomBytes(size));
const named = chunks.map((chunk) => ({ hex: hexOf(digestOf(chunk)), chunk }));

function frameOf(): Buffer {
  const frame = Buffer.alloc(offsetsIn(chunks.map(({ length }) => length)).length, 0xff);
  let at = 0;
  for (const { hex, chunk } of named) {
    frame.set(chunk, at + headerBytes);
    at = endEntry(frame, at, hex, chunk.length);
  }
  assert.is(at, frame.length);
  return frame;
}

test('an entry is a header of ustar to the letter, the chunk, and zeros', () => {
  const frame = Buffer.alloc(spaceOf(3), 0xff);
  frame.write('abc', headerBytes);
  assert.is(endEntry(frame, 0, 'ab'.repeat(32), 3), 1024);
  const header =
    `${'ab'.repeat(32)}${'\0'.repeat(36)}0000600\x000000000\x000000000\x0000000000003\x0000000000000\0` +
    `022070\0 0${'\0'.repeat(100)}ustar\x0000${'\0'.repeat(247)}`;
  assert.is(frame.toString('latin1'), `${header}abc${'\0'.repeat(509)}`);
});

test('the places of chunks are what is told of a frame', () => {
  const frame = frameOf();
  const { offsets } = offsetsIn(chunks.map(({ length }) => length));
  for (const [i, chunk] of chunks.entries()) {
    const at = offsets[i]!;
    assert.ok(frame.subarray(at, at + chunk.length).equals(chunk), `chunk ${i}`);
  }
  const found = [...chunksInFrame(frame)];
  assert.equal(
    found,
    named.map(({ hex, chunk }, i) => ({ hex, offset: offsets[i], size: chunk.length })),
  );
});

test('what was written at first, with the magic in the field of a link, is read too', () => {
  const first = Buffer.alloc(1024);
  first.write(
    `${'ab'.repeat(32)}${'\0'.repeat(36)}0000600\x000000000\x000000000\x0000000000003\x0000000000000\0`,
    'latin1',
  );
  first.write('022070\0 0ustar\x0000', 148, 'latin1');
  first.write('abc', 512);
  assert.ok(isChunkHeader(first, 0, 'ab'.repeat(32), 3));
  assert.equal([...chunksInFrame(first)], [{ hex: 'ab'.repeat(32), offset: 512, size: 3 }]);
  assert.is(execFileSync('tar', ['-xO'], { input: Buffer.concat([first, archiveEnd]) }).toString(), 'abc');
});

test('tar lists the chunks by their digests', () => {
  const listed = execFileSync('tar', ['-t'], { input: Buffer.concat([frameOf(), archiveEnd]) });
  assert.is(listed.toString(), named.map(({ hex }) => `${hex}\n`).join(''));
});

test('a header that differs in any byte, or is cut, is none', () => {
  const { hex, chunk } = named[0]!;
  const frame = frameOf();
  assert.ok(isChunkHeader(frame, 0, hex, chunk.length));
  for (let at = 0; at < 512; at++) {
    const changed = Buffer.from(frame);
    changed[at]! ^= 1;
    assert.not(isChunkHeader(changed, 0, hex, chunk.length), `byte ${at}`);
    assert.equal([...chunksInFrame(changed)], [], `byte ${at}`);
    assert.not(isChunkHeader(frame.subarray(0, at), 0, hex, chunk.length), `cut to ${at}`);
  }
});

test.run();
