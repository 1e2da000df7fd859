import {
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeFifoAt } from '../../../src/support/posix/make-node.ts';
import { currentDirectory, statAt } from '../../../src/support/posix/stat.ts';
import { setXattr } from '../../../src/support/posix/xattrs.ts';
import { silent } from '../../../src/support/progress.ts';
import { MemoryWriter } from '../../support/memory-writer.ts';
import { always, contentOf, entry, parentWith, type Saved, save } from './saved-tree.ts';

/** The most files this process had open while a tree was saved, beyond those it had before. */
async function mostOpen(
  parent: string,
  writer = new MemoryWriter(),
): Promise<{ saved: Saved; most: number }> {
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  let most = 0;
  const saved = await save(parent, writer, always, function* (seen) {
    for (const one of seen) {
      yield one;
      most = Math.max(most, count() - before);
    }
  });
  return { saved, most };
}

test('few directories are open at a time, however many there are', async () => {
  const parent = parentWith({});
  for (let i = 0; i < 1500; i++) {
    const inside = join(parent, 'root', String(i).padStart(4, '0'));
    mkdirSync(inside);
    writeFileSync(join(inside, 'file'), String(i));
  }
  const first = await mostOpen(parent);
  assert.ok(first.most < 600, String(first.most));
  writeFileSync(join(parent, 'root', '0000', 'file'), 'changed');
  const second = await mostOpen(parent, new MemoryWriter(first.saved.writer));
  assert.equal(second.saved.writer.read, ['file']);
  assert.ok(second.most < 50, String(second.most));
});

test('the first time everything is read, the second time nothing', async () => {
  const parent = parentWith({ a: 'one', b: 'two', empty: '' });
  const first = await save(parent);
  assert.equal(first.writer.read.sort(), ['a', 'b', 'empty']);
  assert.equal(first.changes, { added: 4, changed: 0, removed: 0 });
  assert.is(contentOf(first, 'root/b'), 'two');
  const second = await save(parent, new MemoryWriter(first.writer));
  assert.equal(second.writer.read, []);
  assert.equal(second.changes, { added: 0, changed: 0, removed: 0 });
  assert.equal(second.writer.entries, first.writer.entries);
});

test('what changed, came or went is found, and only that is read', async () => {
  const parent = parentWith({ a: 'one', b: 'two', c: 'three', d: 'four' });
  const first = await save(parent);
  const root = join(parent, 'root');
  writeFileSync(join(root, 'a'), 'ONE');
  rmSync(join(root, 'c'));
  writeFileSync(join(root, 'e'), 'five');
  const second = await save(parent, new MemoryWriter(first.writer));
  assert.equal(second.writer.read, ['a', 'e']);
  assert.equal(second.changes, { added: 1, changed: 2, removed: 1 });
});

test('a change that keeps size and mtime is found', async () => {
  const parent = parentWith({ a: 'one' });
  const file = join(parent, 'root', 'a');
  const first = await save(parent);
  const { mtime } = statAt(currentDirectory, file);
  writeFileSync(file, 'two');
  utimesSync(file, Number(mtime) / 1e9, Number(mtime) / 1e9);
  assert.is(contentOf(await save(parent, new MemoryWriter(first.writer)), 'root/a'), 'two');
});

test('a change of attributes alone is found, though the content need not be stored again', async () => {
  const parent = parentWith({ a: 'one' });
  const first = await save(parent);
  setXattr(join(parent, 'root', 'a'), 'user.note', Buffer.from('x'));
  const second = await save(parent, new MemoryWriter(first.writer));
  assert.equal(entry(second, 'root/a').xattrs, { 'user.note': Uint8Array.from([120]) });
  assert.equal(entry(second, 'root/a').chunks, entry(first, 'root/a').chunks);
});

test('a file whose last change is too fresh to be told from a later one is read again', async () => {
  const parent = parentWith({ a: 'one' });
  const first = await save(parent);
  const { ctime } = statAt(currentDirectory, join(parent, 'root', 'a'));
  const fresh = await save(parent, new MemoryWriter(first.writer), ctime);
  assert.equal(fresh.writer.read, ['a']);
  const old = await save(parent, new MemoryWriter(first.writer), ctime + 1n);
  assert.equal(old.writer.read, []);
});

test('a file whose chunks are lost is read again', async () => {
  const parent = parentWith({ a: 'one' });
  const first = await save(parent);
  const writer = new MemoryWriter(first.writer);
  writer.chunks.clear();
  assert.is(contentOf(await save(parent, writer), 'root/a'), 'one');
});

test('names of one file are stored once', async () => {
  const parent = parentWith({ a: 'one' });
  linkSync(join(parent, 'root', 'a'), join(parent, 'root', 'b'));
  const first = await save(parent);
  assert.equal(first.writer.read, ['a']);
  assert.is(entry(first, 'root/b').hardlink, 'root/a');
  assert.is(entry(first, 'root/b').chunks, undefined);
  const second = await save(parent, new MemoryWriter(first.writer));
  assert.equal(second.changes, { added: 0, changed: 0, removed: 0 });
  rmSync(join(parent, 'root', 'a'));
  const third = await save(parent, new MemoryWriter(first.writer));
  assert.is(contentOf(third, 'root/b'), 'one');
});

test('an unreadable file spoils the source, a changing one is only told of', async () => {
  const parent = parentWith({ bad: '', log1: '', log2: '' });
  const writer = new MemoryWriter();
  writer.answer = (name) =>
    name === 'bad' ? { error: 'EIO' } : { chunks: [], size: 0, mtime: 1n, ctime: 1n, inode: 1, flag: 'grew' };
  const saved = await save(parent, writer);
  assert.is(saved.complete, false);
  assert.equal(writer.warnings, [
    '/root/bad: cannot be read (EIO)',
    '/root/log1 and 1 more: changed while being read',
  ]);
  assert.is(entry(saved, 'root/log1').flag, 'grew');
});

test('a file that cannot be read is told of as that, every time, and is no change that comes again', async () => {
  const parent = parentWith({ a: 'one', bad: 'two' });
  const failing = (previous?: MemoryWriter) => {
    const writer = new MemoryWriter(previous);
    writer.answer = (name) => (name === 'bad' ? { error: 'EIO' } : undefined);
    return writer;
  };
  const first = await save(parent, failing());
  assert.equal(first.changes, { added: 2, changed: 0, removed: 0 }, 'the directory and one file');
  const second = await save(parent, failing(first.writer));
  assert.equal(second.changes, { added: 0, changed: 0, removed: 0 });
  assert.equal([second.complete, second.writer.warnings], [false, ['/root/bad: cannot be read (EIO)']]);
  const mended = await save(parent, new MemoryWriter(second.writer));
  assert.equal(mended.changes, { added: 1, changed: 0, removed: 0 });
  writeFileSync(join(parent, 'root', 'bad'), 'more');
  const again = await save(parent, failing(mended.writer));
  assert.equal(again.changes, { added: 0, changed: 0, removed: 1 }, 'it is not in this snapshot');
});

test('every kind of file is described', async () => {
  const parent = parentWith({});
  const root = join(parent, 'root');
  symlinkSync('\xe9 nowhere', join(root, 'link'));
  makeFifoAt(currentDirectory, join(root, 'pipe'), 0o640);
  const saved = await save(parent);
  assert.equal(
    saved.writer.entries.map(({ path, type }) => [path, type]),
    [
      ['root', 'directory'],
      ['root/link', 'symlink'],
      ['root/pipe', 'fifo'],
    ],
  );
  assert.is(entry(saved, 'root/link').target, Buffer.from('\xe9 nowhere').toString('latin1'));
});

test('progress counts what is in files, once: no holes, and no further names', async () => {
  const parent = parentWith({});
  const root = join(parent, 'root');
  writeFileSync(join(root, 'file'), Buffer.alloc(8192, 'x'));
  linkSync(join(root, 'file'), join(root, 'link'));
  writeFileSync(join(root, 'sparse'), Buffer.alloc(4096, 'x'));
  truncateSync(join(root, 'sparse'), 2 ** 40);
  let done = 0;
  const advance = (amount: number) => {
    done += amount;
  };
  const task = { ...silent.begin(''), advance };
  await save(parent, new MemoryWriter(), always, undefined, task);
  assert.is(done, 8192 + 4096);
});

test('thousands of files in many batches keep their order, and every directory is closed', async () => {
  const parent = parentWith({});
  for (let d = 0; d < 30; d++) {
    mkdirSync(join(parent, 'root', `d${d}`));
    for (let f = 0; f < 60; f++) writeFileSync(join(parent, 'root', `d${d}`, `f${f}`), `${d} ${f}`);
  }
  const before = readdirSync('/proc/self/fd').length;
  const first = await save(parent);
  assert.is(first.writer.entries.length, 1 + 30 + 1800);
  assert.is(contentOf(first, 'root/d7/f59'), '7 59');
  writeFileSync(join(parent, 'root', 'd0', 'f0'), 'changed');
  const second = await save(parent, new MemoryWriter(first.writer));
  assert.equal(second.writer.read, ['f0']);
  assert.is(readdirSync('/proc/self/fd').length, before);
});

test('after an error of the repository every directory is closed', async () => {
  const parent = parentWith({ a: 'one', b: 'two' });
  const before = readdirSync('/proc/self/fd').length;
  const writer = new MemoryWriter();
  writer.add = () => Promise.reject(new Error('disk full'));
  await save(parent, writer).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'disk full'),
  );
  assert.is(readdirSync('/proc/self/fd').length, before);
});

test.run();
