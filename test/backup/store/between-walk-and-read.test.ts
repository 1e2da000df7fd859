import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { replaced } from '../../../src/repository/run/run.ts';
import { currentDirectory, statAt } from '../../../src/support/posix/stat.ts';
import { MemoryWriter } from '../../support/memory-writer.ts';
import { always, contentOf, entry, parentWith, save } from './saved-tree.ts';

test('when the first name of a file vanishes before it is read, the next takes its place', async () => {
  const parent = parentWith({ a: 'one' });
  const root = join(parent, 'root');
  for (const name of ['b', 'c']) linkSync(join(root, 'a'), join(root, name));
  const writer = new MemoryWriter();
  writer.beforeRead = (names) => {
    if (names.includes('a')) rmSync(join(root, 'a'));
  };
  const saved = await save(parent, writer);
  assert.is(contentOf(saved, 'root/b'), 'one');
  assert.is(entry(saved, 'root/c').hardlink, 'root/b');
  assert.is(saved.complete, true);
  assert.equal(writer.warnings, ['/root/a: vanished before being read']);
});

test('when another file, a link or a directory takes the place of a first name, the next keeps what was linked', async () => {
  for (const replace of [
    (path: string) => renameSync(join(path, '..', 'z'), path),
    (path: string) => symlinkSync('elsewhere', path),
    (path: string) => mkdirSync(path),
  ]) {
    const parent = parentWith({ a: 'one', z: 'another' });
    const root = join(parent, 'root');
    for (const name of ['b', 'c']) linkSync(join(root, 'a'), join(root, name));
    const writer = new MemoryWriter();
    writer.beforeRead = (names) => {
      if (!names.includes('z')) return;
      rmSync(join(root, 'a'));
      replace(join(root, 'a'));
    };
    const saved = await save(parent, writer);
    assert.is(contentOf(saved, 'root/b'), 'one');
    assert.is(entry(saved, 'root/b').hardlink, undefined);
    assert.is(entry(saved, 'root/c').hardlink, 'root/b');
  }
});

test('when the first name of a link vanishes before it is read, the next is no name of nothing', async () => {
  const parent = parentWith({});
  const root = join(parent, 'root');
  symlinkSync('elsewhere', join(root, 'a'));
  linkSync(join(root, 'a'), join(root, 'b'));
  const saved = await save(parent, new MemoryWriter(), always, function* (seen) {
    for (const one of seen) {
      if (one.name === 'a') rmSync(join(root, 'a'));
      yield one;
    }
  });
  assert.is(entry(saved, 'root/b').target, 'elsewhere');
  assert.is(entry(saved, 'root/b').hardlink, undefined);
  assert.is(saved.complete, true);
});

test('a file that was replaced between walk and read is saved as what it is now', async () => {
  const parent = parentWith({ a: 'old', new: 'newer' });
  const root = join(parent, 'root');
  const writer = new MemoryWriter();
  chmodSync(join(root, 'new'), 0o751);
  writer.beforeRead = (names) => {
    if (names.includes('new')) renameSync(join(root, 'new'), join(root, 'a'));
  };
  const saved = await save(parent, writer);
  assert.is(contentOf(saved, 'root/a'), 'newer');
  assert.is(entry(saved, 'root/a').mode, 0o751);
  assert.is(saved.complete, true);
});

test('a file that became a link meanwhile is saved as the link, not as what that points at', async () => {
  const parent = parentWith({ a: 'old', secret: 'secret' });
  const saved = await save(
    parent,
    replacing(join(parent, 'root', 'a'), (path) => symlinkSync('secret', path)),
  );
  assert.is(entry(saved, 'root/a').type, 'symlink');
  assert.is(entry(saved, 'root/a').chunks, undefined);
  assert.is(saved.complete, true);
});

test('a file that became a directory meanwhile spoils the source', async () => {
  const parent = parentWith({ a: 'old' });
  const saved = await save(
    parent,
    replacing(join(parent, 'root', 'a'), (path) => mkdirSync(path)),
  );
  assert.is(saved.complete, false);
  assert.match(
    saved.writer.warnings[0] ?? '',
    /^\/root\/a: (cannot be read \(EISDIR\)|was replaced .*by a directory.*)$/,
  );
});

test('a file that is another whenever it is read, and one that a server lost, are told as what they are', async () => {
  const parent = parentWith({ lost: 'old', other: 'old' });
  const writer = new MemoryWriter();
  writer.answer = (name) => ({ error: name === 'lost' ? 'ESTALE' : replaced });
  const saved = await save(parent, writer);
  assert.is(saved.complete, false);
  assert.equal(writer.warnings, [
    '/root/lost: cannot be read (ESTALE)',
    '/root/other: was replaced again and again, or by a directory, while it was read',
  ]);
});

test('a file that a server had replaced, of which this host did not know, is saved as what it is now', async () => {
  const parent = parentWith({ a: 'new' });
  const writer = new MemoryWriter();
  let asked = 0;
  writer.answer = () => (asked++ === 0 ? { error: 'ESTALE' } : undefined);
  const saved = await save(parent, writer);
  assert.is(contentOf(saved, 'root/a'), 'new');
  assert.is(saved.complete, true);
});

/** A writer before whose first reading something else takes a file's place. */
function replacing(path: string, make: (path: string) => void): MemoryWriter {
  const writer = new MemoryWriter();
  writer.beforeRead = () => {
    writer.beforeRead = () => {};
    rmSync(path);
    make(path);
  };
  return writer;
}

test('a file that changes its mode between walk and read has the mode that goes with its ctime', async () => {
  const parent = parentWith({ a: 'one' });
  const file = join(parent, 'root', 'a');
  const writer = new MemoryWriter();
  writer.beforeRead = () => chmodSync(file, 0o711);
  const saved = await save(parent, writer);
  assert.is(entry(saved, 'root/a').mode, 0o711);
  assert.is(entry(saved, 'root/a').ctime, statAt(currentDirectory, file).ctime);
});

test('a file that is touched even after it was read will be read again', async () => {
  const parent = parentWith({ a: 'one' });
  const writer = new MemoryWriter();
  writer.answer = () => ({ chunks: [], size: 0, asRead: { mtime: 1n, ctime: 1n, inode: 1 } });
  const saved = await save(parent, writer);
  assert.is(entry(saved, 'root/a').ctime, undefined);
  const again = await save(parent, new MemoryWriter(writer));
  assert.equal(again.writer.read, ['a']);
});

test.run();
