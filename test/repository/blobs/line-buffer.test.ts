import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LineBuffer } from '../../../src/repository/blobs/line-buffer.ts';

test('lines come back as one text, each with its newline, however often the buffer had to grow', () => {
  const lines = Array.from({ length: 300 }, (_, i) => `${i} ${'line '.repeat(i * 3)}ü€`);
  const buffer = new LineBuffer();
  const bytes = lines.map((line) => buffer.add(line));
  assert.equal(
    bytes,
    lines.map((line) => Buffer.byteLength(line) + 1),
  );
  assert.is(
    buffer.length,
    bytes.reduce((sum, length) => sum + length),
  );
  assert.is(buffer.take().toString(), lines.map((line) => `${line}\n`).join(''));
});

test('what was taken is gone, and does not change with what comes after', () => {
  const buffer = new LineBuffer();
  buffer.add('first');
  const taken = buffer.take();
  assert.ok(buffer.isEmpty);
  assert.is(buffer.length, 0);
  buffer.add('second');
  assert.is(taken.toString(), 'first\n');
});

test.run();
