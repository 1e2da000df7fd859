import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../src/repository/entry.ts';
import { checkedEntries } from '../../../src/restore/tree/checked-entries.ts';
import { type Destinations, writeTree } from '../../../src/restore/tree/tree-writer.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { holesOf } from '../../../src/support/posix/holes.ts';
import { statAt } from '../../../src/support/posix/stat.ts';
import { getXattr } from '../../../src/support/posix/xattrs.ts';
import { failure } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { entry, MemoryRepository, sorted } from '../memory-repository.ts';

const work = temporaryDirectory();
let count = 0;

interface Written {
  directory: string;
  warnings: string[];
}

/** Writes entries with root `.` to a new directory `<work>/N/out`. */
async function write(repository: MemoryRepository, entries: Entry[], checked = true): Promise<Written> {
  const parent = join(work, String(count++));
  mkdirSync(parent);
  const descriptor = openSync(parent, 'r');
  const destinations: Destinations = {
    rootAt: (path) => (path === '.' ? { directory: descriptor, name: 'out' } : undefined),
    keptAt: () => undefined,
  };
  const warnings: string[] = [];
  async function* stream() {
    yield* entries;
  }
  try {
    await writeTree(checked ? checkedEntries(stream(), ['.']) : stream(), destinations, {
      owners: true,
      warn: (message) => void warnings.push(message),
      lacks: (path, why) => void warnings.push(`${path}: ${why}`),
      pathOf: ({ path }) => join('/srv/app', path),
      content: (file) => repository.content({} as never, file),
      onBytes() {},
      onKept() {},
      signal: new AbortController().signal,
    });
  } finally {
    closeSync(descriptor);
  }
  return { directory: join(parent, 'out'), warnings };
}

/** As the kernel has it: tag, permissions and id of each entry. Source: linux/posix_acl_xattr.h. */
function acl(...entries: [number, number, number?][]): Uint8Array {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2, 0);
  for (const [i, [tag, permissions, id = 0xffffffff]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i);
    bytes.writeUInt16LE(permissions, 6 + 8 * i);
    bytes.writeUInt32LE(id, 8 + 8 * i);
  }
  return bytes;
}

test('every kind of file comes back with owner, mode, time and attributes', async () => {
  const repository = new MemoryRepository();
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const { directory, warnings } = await write(
    repository,
    sorted([
      entry('directory', '.', { mode: 0o2751, uid: 12, gid: 34, mtime: -1n }),
      repository.file('plain', 'hello', { mode: 0o640, uid: 1234, gid: 4321 }),
      repository.file('empty', ''),
      repository.file('setuid', '#!', {
        mode: 0o6755,
        uid: 7,
        xattrs: { 'security.capability': capability },
      }),
      repository.file('name\xff\x01 \n', 'bytes'),
      entry('symlink', 'link', { target: '/nowhere/\xfe', uid: 5, gid: 6 }),
      entry('fifo', 'fifo', { mode: 0o620 }),
      entry('character', 'null', { mode: 0o666, device: { major: 1, minor: 3 } }),
      entry('block', 'loop', { mode: 0o600, device: { major: 7, minor: 300 } }),
      entry('directory', 'sticky', { mode: 0o1777, mtime: 1n }),
      repository.file('sticky/inside', 'x', { xattrs: { 'user.note\xe9': Buffer.from('v\0w') } }),
    ]),
  );
  assert.equal(warnings, []);
  const at = (name: string) => statAt(-100, Buffer.from(join(directory, name)).toString('latin1'));
  const root = statAt(-100, directory);
  assert.is(root.mode, 0o2751);
  assert.is(root.mtime, -1n);
  assert.equal([root.uid, root.gid], [12, 34]);
  assert.is(readFileSync(join(directory, 'plain'), 'utf8'), 'hello');
  assert.equal([at('plain').uid, at('plain').gid, at('plain').mode], [1234, 4321, 0o640]);
  assert.is(at('plain').mtime, 1_700_000_000_123_456_789n);
  assert.is(at('setuid').mode, 0o6755);
  assert.equal(Buffer.from(getXattr(join(directory, 'setuid'), 'security.capability')!), capability);
  assert.is(readFileSync(Buffer.from(`${directory}/name\xff\x01 \n`, 'latin1'), 'utf8'), 'bytes');
  assert.is(readlinkSync(join(directory, 'link'), 'latin1'), '/nowhere/\xfe');
  assert.equal([at('link').uid, at('link').gid], [5, 6]);
  assert.equal([at('fifo').type, at('fifo').mode], ['fifo', 0o620]);
  assert.equal([at('null').type, at('null').major, at('null').minor], ['character', 1, 3]);
  assert.equal([at('loop').type, at('loop').major, at('loop').minor], ['block', 7, 300]);
  assert.equal([at('sticky').mode, at('sticky').mtime], [0o1777, 1n]);
  assert.is(Buffer.from(getXattr(join(directory, 'sticky/inside'), 'user.note\xe9')!).toString(), 'v\0w');
});

test('holes come back as holes', async () => {
  const repository = new MemoryRepository();
  const data = Buffer.alloc(8192, 7);
  const size = 10 * 1024 * 1024;
  const holes: [number, number][] = [
    [4096, 5 * 1024 * 1024],
    [5 * 1024 * 1024 + 8192, size - 5 * 1024 * 1024 - 8192],
  ];
  const { directory } = await write(repository, [
    entry('directory', '.'),
    { ...repository.file('sparse', data), size, holes },
  ]);
  const path = join(directory, 'sparse');
  const file = openSync(path, 'r');
  assert.equal(holesOf(file, size), holes);
  closeSync(file);
  const bytes = readFileSync(path);
  assert.is(bytes.length, size);
  assert.is(bytes.filter((byte) => byte === 7).length, 8192);
  assert.is(bytes[4096 + holes[0]![1]], 7);
});

test('hard links are one inode again, across directories and for odd types', async () => {
  const repository = new MemoryRepository();
  const { directory } = await write(
    repository,
    sorted([
      entry('directory', '.'),
      entry('directory', 'a'),
      repository.file('a/first', 'shared', { mode: 0o600 }),
      entry('fifo', 'a/pipe'),
      entry('directory', 'b'),
      entry('file', 'b/second', { mode: 0o600, size: 6, hardlink: 'a/first' }),
      entry('fifo', 'b/pipe', { hardlink: 'a/pipe' }),
    ]),
  );
  assert.is(statSync(join(directory, 'a/first')).ino, statSync(join(directory, 'b/second')).ino);
  assert.is(statSync(join(directory, 'a/pipe')).ino, statSync(join(directory, 'b/pipe')).ino);
  assert.is(statAt(-100, join(directory, 'b/second')).mtime, 1_700_000_000_123_456_789n);
});

test('an ACL survives, and a default ACL does not leak into what is made below it', async () => {
  const xattrs = {
    'system.posix_acl_access': acl([1, 7], [2, 7, 1234], [4, 5], [16, 7], [32, 5]),
    'system.posix_acl_default': acl([1, 7], [2, 4, 4321], [4, 5], [16, 5], [32, 5]),
  };
  const repository = new MemoryRepository();
  const { directory } = await write(repository, [
    entry('directory', '.', { mode: 0o775, xattrs }),
    repository.file('f', 'x', { mode: 0o644 }),
  ]);
  for (const [name, value] of Object.entries(xattrs)) {
    assert.equal(Buffer.from(getXattr(directory, name)!), Buffer.from(value));
  }
  assert.is(getXattr(join(directory, 'f'), 'system.posix_acl_access'), undefined);
});

test('a hard link through a link, to a directory or to nothing is damage, and nothing outside is linked', async () => {
  const outside = join(work, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  const repository = new MemoryRepository();
  const before = statSync(join(outside, 'secret')).nlink;
  for (const hardlink of ['a/secret', 'd', 'nothing', 'a']) {
    const error = await failure(
      write(repository, [
        entry('directory', '.'),
        entry('symlink', 'a', { target: outside }),
        entry('directory', 'd'),
        entry('file', 'z', { size: 6, hardlink }),
      ]),
    );
    assert.instance(error, DamagedError, `${hardlink}: ${error.message}`);
    assert.ok(error.message.startsWith('restoring /srv/app/z: the snapshot has no file /srv/app/'));
  }
  assert.is(statSync(join(outside, 'secret')).nlink, before);
});

test('even entries that nobody checked are not written through a link', async () => {
  const outside = join(work, 'outside-2');
  mkdirSync(outside);
  const repository = new MemoryRepository();
  await failure(
    write(
      repository,
      [
        entry('directory', '.'),
        entry('symlink', 'a', { target: outside }),
        entry('directory', 'a', {}),
        repository.file('a/f', 'x'),
      ],
      false,
    ),
  );
  assert.not(existsSync(join(outside, 'f')));
});

test('content of another length than the size says is damage', async () => {
  const repository = new MemoryRepository();
  for (const size of [1, 4, 6, 2 ** 40]) {
    const error = await failure(
      write(repository, [entry('directory', '.'), { ...repository.file('f', 'hello'), size }]),
    );
    assert.instance(error, DamagedError, error.message);
    assert.match(error.message, /^restoring \/srv\/app\/f: the snapshot holds (more|fewer) bytes of it/);
  }
});

test('whatever the system refuses is told with the whole path at which the file belongs', async () => {
  const repository = new MemoryRepository();
  const endless = 'n'.repeat(256);
  for (const refused of [
    repository.file(`d/${endless}`, 'x'),
    entry('directory', `d/${endless}`),
    entry('symlink', `d/${endless}`, { target: 'x' }),
    entry('fifo', `d/${endless}`),
    entry('file', `d/${endless}`, { hardlink: 'd/a', size: 1 }),
  ]) {
    const above = [entry('directory', '.'), entry('directory', 'd'), repository.file('d/a', 'x')];
    const error = await failure(write(repository, [...above, refused]));
    assert.match(error.message, new RegExp(`^ENAMETOOLONG: name too long, \\w+ '/srv/app/d/${endless}'$`));
  }
});

test('so is what it refuses while the content is written, and of a directory when all in it is done', async () => {
  const repository = new MemoryRepository();
  const odd = { xattrs: { [`user.${'n'.repeat(300)}`]: Buffer.from('v') } };
  for (const refused of [repository.file('d', 'x', odd), entry('directory', 'd', odd)]) {
    const error = await failure(write(repository, [entry('directory', '.'), refused]));
    assert.match(error.message, /^E[A-Z]+: [^']+, \w+ '\/srv\/app\/d'$/);
  }
});

test('where something already is, nothing is overwritten', async () => {
  const parent = join(work, String(count));
  mkdirSync(join(parent, 'out'), { recursive: true });
  symlinkSync(work, join(parent, 'out', 'x'));
  const repository = new MemoryRepository();
  const error = await failure(write(repository, [entry('directory', '.')]));
  assert.match(error.message, /EEXIST/);
});

test('a failure in one file is told after all that was under way has ended', async () => {
  const repository = new MemoryRepository();
  const files = Array.from({ length: 200 }, (_, i) =>
    repository.file(`f${String(i).padStart(3, '0')}`, `content ${i}`),
  );
  repository.onContent = ({ path }) => {
    if (path === 'f100') throw new DamagedError('a chunk is damaged');
  };
  const error = await failure(write(repository, [entry('directory', '.'), ...files]));
  assert.is(error.message, 'a chunk is damaged');
});

test.run();
