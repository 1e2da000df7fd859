import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
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

async function write(sizes: readonly number[]): Promise<WrittenPack[]> {
  const directory = temporaryDirectory();
  const packs: WrittenPack[] = [];
  const writer = new PackWriter({
    nextPath: () => join(directory, `${packs.length}.pack`),
    goal: 64 * mebibyte,
    recipients: [],
    onPack: (pack) => packs.push(pack),
  });
  for (const size of sizes) await writer.add(randomBytes(32).toString('hex'), randomBytes(size));
  await writer.finish();
  return packs;
}

test.run();
