import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SeekableBytes } from '../../../src/archive/byte-source.ts';
import { concatenated } from '../../../src/archive/index/archive-index.ts';
import { openSeekableXz, type SeekableXz } from '../../../src/archive/xz/seekable.ts';

const blockSize = 1 << 19;
const content = randomBytes(8.5 * blockSize);
const compressed = execFileSync('xz', ['-1', '-T2', `--block-size=${blockSize}`, '-c'], {
  input: content,
  maxBuffer: 1 << 28,
});

/** The file in small pieces, and how many bytes of it were asked for. */
function countedFile(): SeekableBytes & { read: number } {
  return {
    size: compressed.length,
    read: 0,
    async *range(offset, length) {
      const end = Math.min(compressed.length, offset + length);
      for (let at = offset; at < end; at += 10_000) {
        const piece = compressed.subarray(at, Math.min(end, at + 10_000));
        this.read += piece.length;
        yield piece;
      }
    },
  };
}

async function opened(file: SeekableBytes = countedFile()): Promise<SeekableXz> {
  const xz = await openSeekableXz(file, 'test.xz');
  assert.ok(xz);
  return xz;
}

async function reads(xz: SeekableXz, offset: number, length: number): Promise<void> {
  const got = await concatenated(xz.range(offset, length));
  assert.ok(content.subarray(offset, offset + length).equals(got), `${length} bytes at ${offset}`);
}

test('any range has the bytes that belong there, also backwards', async () => {
  const xz = await opened();
  const offsets = [0, 1, blockSize - 3, blockSize, 3 * blockSize + 77, 5, content.length - 10, blockSize - 3];
  for (const offset of offsets) await reads(xz, offset, 10);
  await reads(xz, 100, 3 * blockSize);
  await reads(xz, 0, content.length);
  assert.is((await concatenated(xz.range(content.length - 5, 100))).length, 5);
  await xz.close();
});

test('ranges that were told before are read right, whatever lies between them', async () => {
  const xz = await opened();
  const ranges = [
    { offset: 10, length: 100 },
    { offset: blockSize - 50, length: 100 },
    { offset: 2 * blockSize + 5, length: 2 * blockSize },
    { offset: 7 * blockSize, length: 0 },
    { offset: 8 * blockSize, length: blockSize / 2 },
  ];
  xz.expect(ranges);
  for (const { offset, length } of ranges) await reads(xz, offset, length);
  await xz.close();
});

test('what was told and is not read holds nothing up', async () => {
  const xz = await opened();
  xz.expect([{ offset: content.length - 1, length: 1 }]);
  await reads(xz, 2 * blockSize, 10);
  await reads(xz, 0, 10);
  await xz.close();
});

test('a look into the middle of a block decodes little of what follows', async () => {
  const file = countedFile();
  const xz = await opened(file);
  const before = file.read;
  await reads(xz, 3 * blockSize + blockSize / 4, 512);
  await xz.close();
  assert.ok(file.read - before < blockSize / 2, `${file.read - before} bytes`);
});

test.run();
