import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FrameBuffers } from '../../../src/repository/packs/frame-buffer.ts';
import type { WrittenPack } from '../../../src/repository/packs/pack-file.ts';
import { PackWriter } from '../../../src/repository/packs/pack-writer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

test('a frame closes at 2 MiB, and before a chunk that would bring it over 3 MiB', async () => {
  const sizes = [...Array(4).fill(512 * kibibyte), mebibyte, 2.5 * mebibyte, 4 * mebibyte, 10, 4 * mebibyte];
  const [pack] = await write(sizes);
  assert.equal(
    pack?.frames.map((frame) => frame.sizes),
    [sizes.slice(0, 4), [mebibyte], [2.5 * mebibyte], [4 * mebibyte], [10], [4 * mebibyte]],
  );
});

test('frames that come filled are written as they are, and small ones together', async () => {
  const [pack] = await write(
    [],
    [[mebibyte], [10, 20], [2.5 * mebibyte], [mebibyte / 2], [100], [4 * mebibyte]],
  );
  assert.equal(
    pack?.frames.map((frame) => frame.sizes),
    [[mebibyte], [2.5 * mebibyte], [4 * mebibyte], [10, 20, mebibyte / 2, 100]],
  );
});

test('a small frame that comes is kept for chunks that come by themselves', async () => {
  const [pack] = await write([30, 40], [[10, 20]]);
  assert.equal(
    pack?.frames.map((frame) => frame.sizes),
    [[10, 20, 30, 40]],
  );
});

test('no call that writes lasts longer than the kernel takes to copy 256 KiB', async () => {
  const written = () => Number(/^syscw: (\d+)/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
  const before = written();
  const [pack] = await write([4 * mebibyte]);
  const least = Math.ceil(pack!.size / (256 * kibibyte));
  assert.ok(written() - before >= least);
});

test('whoever gives up has no pack open any more, however far it was', async () => {
  const directory = temporaryDirectory();
  const writer = new PackWriter({
    buffers: new FrameBuffers(3),
    nextPath: () => join(directory, 'given-up.pack'),
    goal: 64 * mebibyte,
    recipients: [],
    onPack: () => assert.unreachable('a pack was completed'),
  });
  for (let i = 0; i < 4; i++) await writer.add(randomBytes(32).toString('hex'), randomBytes(mebibyte));
  await writer.abandon();
  const open = readdirSync('/proc/self/fd').map((file) => {
    try {
      return readlinkSync(join('/proc/self/fd', file));
    } catch {
      return ''; // The directory of descriptors itself, closed by now.
    }
  });
  assert.equal(
    open.filter((path) => path.startsWith(directory)),
    [],
  );
});

async function write(sizes: readonly number[], filled: readonly number[][] = []): Promise<WrittenPack[]> {
  const directory = temporaryDirectory();
  const packs: WrittenPack[] = [];
  const buffers = new FrameBuffers(3);
  const writer = new PackWriter({
    buffers,
    nextPath: () => join(directory, `${packs.length}.pack`),
    goal: 64 * mebibyte,
    recipients: [],
    onPack: (pack) => packs.push(pack),
  });
  for (const chunks of filled) {
    const frame = await buffers.acquire();
    for (const size of chunks) {
      randomBytes(size).copy(frame.content(size));
      frame.addChunk(size);
    }
    await writer.addFrame(frame);
  }
  for (const size of sizes) await writer.add(randomBytes(32).toString('hex'), randomBytes(size));
  await writer.finish();
  return packs;
}

test.run();
