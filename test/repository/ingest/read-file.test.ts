import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gearTable } from '../../../src/repository/chunks/gear.ts';
import { Chunker, type Read } from '../../../src/repository/ingest/chunker.ts';
import { openAhead } from '../../../src/repository/ingest/open-ahead.ts';
import { readFile } from '../../../src/repository/ingest/read-file.ts';
import { FrameBuffers } from '../../../src/repository/packs/frame-buffer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
mkdirSync(join(root, 'files'));
const block = 4096;

/** Two blocks of data, a hole of two, a block of data and a hole of so many. */
function makeSparse(path: string, last: number): void {
  writeFileSync(path, Buffer.alloc(2 * block, 'a'));
  truncateSync(path, 4 * block);
  writeFileSync(path, Buffer.alloc(block, 'b'), { flag: 'a' });
  truncateSync(path, (5 + last) * block);
}

/** Reads a file that is cut to `left` bytes whenever it is read, and long again before the next time. */
async function readCut(name: string, last: number, left: number) {
  const path = join(root, 'files', name);
  makeSparse(path, last);
  const buffers = new FrameBuffers(2);
  const chunker = new Chunker(gearTable(new Uint8Array(32)), buffers, (frame) => buffers.release(frame));
  const cutting = (read: Read): Read => {
    truncateSync(path, left);
    return (buffer, offset) => read(buffer, offset);
  };
  const { ino: inode, dev: device } = statSync(path);
  const directory = await open(join(root, 'files'));
  try {
    const file = { directory: directory.fd, name, inode, device, size: (5 + last) * block };
    const [opened] = openAhead([file]);
    assert.ok(opened !== undefined && 'handle' in opened);
    return await readFile(opened, {
      addSmall: (size, read, keep) =>
        chunker.addSmall(size, cutting(read), (length) => {
          const kept = keep(length);
          makeSparse(path, last);
          return kept;
        }),
      async addLarge(read) {
        const stored = await chunker.addLarge(cutting(read));
        makeSparse(path, last);
        return stored;
      },
    });
  } finally {
    await directory.close();
  }
}

test('a sparse file that is cut whenever it is read ends where its content ends, and has no hole behind that', async () => {
  for (const [left, size, holes] of [
    [100, 100, []],
    [2 * block, 4 * block, [[2 * block, 2 * block]]],
    [3 * block, 4 * block, [[2 * block, 2 * block]]],
    [4 * block + 7, 4 * block + 7, [[2 * block, 2 * block]]],
  ] as const) {
    const read = await readCut(`small-${left}`, 3, left);
    assert.ok(!('error' in read), String('error' in read && read.error));
    assert.equal([read.flag, read.size, read.holes ?? []], ['changed', size, holes], `cut to ${left}`);
  }
});

test('a large one too', async () => {
  const read = await readCut('large', 1000, 100);
  assert.ok(!('error' in read), String('error' in read && read.error));
  assert.equal([read.flag, read.size, read.holes ?? []], ['changed', 100, []]);
});

test.run();
