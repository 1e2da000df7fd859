import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gearTable } from '../../../src/repository/chunks/gear.ts';
import { Chunker, type Read } from '../../../src/repository/ingest/chunker.ts';
import { openAhead } from '../../../src/repository/ingest/open-ahead.ts';
import { readFile } from '../../../src/repository/ingest/read-file.ts';
import { FrameBuffers } from '../../../src/repository/packs/frame-buffer.ts';
import { replaced } from '../../../src/repository/run/run.ts';
import { currentDirectory, statAt } from '../../../src/support/posix/stat.ts';
import { setXattr } from '../../../src/support/posix/xattrs.ts';
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
  const { ino, dev: device, blocks, ctimeNs: ctime } = statSync(path, { bigint: true });
  const seen = { device: Number(device), inode: Number(ino), blocks: Number(blocks), ctime };
  const directory = await open(join(root, 'files'));
  try {
    const file = { ...seen, directory: directory.fd, name, size: (5 + last) * block };
    const [opened] = openAhead([file]);
    assert.ok(opened !== undefined && 'handle' in opened);
    return await readFile(opened, {
      addAtOnce: (size, read) => chunker.addAtOnce(size, read),
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

/** Has a small file read behind another, so that there is a frame with room for it. `meanwhile` is done after the walk saw it. */
async function readSmall(name: string, content: string, meanwhile: (path: string) => void = () => {}) {
  const path = join(root, 'files', name);
  const buffers = new FrameBuffers(2);
  const chunker = new Chunker(gearTable(new Uint8Array(32)), buffers, (frame) => buffers.release(frame));
  await chunker.addSmall(
    1,
    () => 1,
    () => true,
  );
  writeFileSync(path, content);
  const directory = await open(join(root, 'files'));
  try {
    const { device, inode, size, blocks, ctime } = statAt(directory.fd, name);
    const file = { directory: directory.fd, name, device, inode: Number(inode), size, blocks, ctime };
    await untilClockMoves(directory.fd, ctime);
    meanwhile(path);
    const [opened] = openAhead([file]);
    assert.ok(opened !== undefined && 'handle' in opened);
    const stored = readFile(opened, chunker);
    return { atOnce: !(stored instanceof Promise), stored: await stored, now: statAt(directory.fd, name) };
  } finally {
    await directory.close();
  }
}

/** A change in the same tick of the kernel's clock for files would leave the ctime as it is. */
async function untilClockMoves(directory: number, ctime: bigint): Promise<void> {
  do {
    await setTimeout(1);
    writeFileSync(join(root, 'files', 'clock'), '');
  } while (statAt(directory, 'clock').ctime === ctime);
}

const digestOf = (content: string) => createHash('sha256').update(content).digest('hex');

test('a file that is too long for its size to be told exactly is not read', async () => {
  const directory = temporaryDirectory('/dev/shm'); // Few disks keep files as long as that; memory does.
  const path = join(directory, 'hole');
  execFileSync('truncate', ['--size=8P', path]);
  const { device, inode, size, blocks, ctime } = statAt(currentDirectory, path);
  const file = { directory: currentDirectory, name: path, device, inode: Number(inode), size, blocks, ctime };
  const [opened] = openAhead([file]);
  assert.ok(opened !== undefined && 'handle' in opened);
  const buffers = new FrameBuffers(1);
  const chunker = new Chunker(gearTable(new Uint8Array(32)), buffers, (frame) => buffers.release(frame));
  assert.equal(await readFile(opened, chunker), { error: 'EFBIG' });
});

test('a small file that still is what the walk saw is read at once, with its attributes', async () => {
  const plain = await readSmall('plain', 'plain');
  assert.equal([plain.atOnce, plain.stored], [true, { chunks: [digestOf('plain')], size: 5 }]);
  const empty = await readSmall('empty', '');
  assert.equal([empty.atOnce, empty.stored], [true, { chunks: [], size: 0 }]);
  writeFileSync(join(root, 'files', 'marked'), '');
  setXattr(join(root, 'files', 'marked'), 'user.mark', Buffer.from('x'));
  const marked = await readSmall('marked', 'marked');
  assert.ok(marked.atOnce && 'xattrs' in marked.stored);
  assert.equal(marked.stored.xattrs, { 'user.mark': Uint8Array.from(Buffer.from('x')) });
});

test('one that was changed since, even to as many bytes, is told as what it is now', async () => {
  const changes: Record<string, [change: (path: string) => void, content: string]> = {
    rewritten: [(path) => writeFileSync(path, 'white'), 'white'],
    longer: [(path) => writeFileSync(path, 'black as night'), 'black as night'],
    shorter: [(path) => writeFileSync(path, ''), ''],
    touched: [(path) => chmodSync(path, 0o600), 'black'],
  };
  for (const [name, [change, content]] of Object.entries(changes)) {
    const { atOnce, stored, now } = await readSmall(name, 'black', change);
    const { mtime, ctime } = now;
    const asRead = { mtime, ctime, inode: Number(now.inode) };
    const chunks = content === '' ? [] : [digestOf(content)];
    assert.equal([atOnce, stored], [false, { chunks, size: content.length, asRead }], name);
  }
});

test('one that another took the place of is not taken for it', async () => {
  const replace = (path: string) => {
    writeFileSync(`${path}.new`, 'other');
    renameSync(`${path}.new`, path);
  };
  assert.equal((await readSmall('replaced', 'black', replace)).stored, { error: replaced });
});

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
