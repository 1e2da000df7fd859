import { closeSync, lstatSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromText, toFsPath } from '../../../src/support/posix/byte-path.ts';
import { makeDeviceAt, makeFifoAt } from '../../../src/support/posix/make-node.ts';
import { openAt, openDirectoryAt } from '../../../src/support/posix/open.ts';
import { readLinkAt } from '../../../src/support/posix/read-link.ts';
import {
  currentDirectory,
  deviceNumber,
  existsAt,
  isStill,
  statAt,
  statFile,
} from '../../../src/support/posix/stat.ts';
import { setTimesAt } from '../../../src/support/posix/times.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const directory = temporaryDirectory();
const handle = openDirectoryAt(currentDirectory, directory);

test('statAt says what node says, exact in times', () => {
  writeFileSync(join(directory, 'file'), 'hello', { mode: 0o640 });
  const got = statAt(handle, 'file');
  const want = lstatSync(join(directory, 'file'), { bigint: true });
  assert.is(got.type, 'file');
  assert.is(got.mode, 0o640);
  assert.is(got.size, 5);
  assert.is(got.uid, Number(want.uid));
  assert.is(got.gid, Number(want.gid));
  assert.is(got.inode, want.ino);
  assert.is(got.device, Number(want.dev));
  assert.is(got.links, 1);
  assert.is(got.blocks, Number(want.blocks));
  assert.is(got.mtime, want.mtimeNs);
  assert.is(got.ctime, want.ctimeNs);
});

test('statFile says of an open file what statAt says of its name', () => {
  writeFileSync(join(directory, 'open'), 'x');
  const file = openSync(join(directory, 'open'), 'r');
  assert.equal(statFile(file), statAt(handle, 'open'));
  closeSync(file);
});

test('a link is not followed, neither by stat nor by open', () => {
  mkdirSync(join(directory, 'real'));
  symlinkSync('real', join(directory, 'link'));
  assert.is(statAt(handle, 'link').type, 'symlink');
  assert.is(readLinkAt(handle, 'link'), 'real');
  assert.throws(() => openDirectoryAt(handle, 'link'), /ENOTDIR/);
  assert.throws(() => openAt(handle, 'link', 0), /ELOOP/);
});

test('times go back exactly, before 1970 and on links too', () => {
  symlinkSync('nowhere', join(directory, 'timed'));
  for (const time of [1700000000123456789n, 0n, -1n, -1234567890123456789n]) {
    setTimesAt(handle, 'timed', time);
    assert.is(statAt(handle, 'timed').mtime, time);
  }
});

test('FIFOs and device nodes are made as they were', () => {
  makeFifoAt(handle, 'fifo', 0o600);
  assert.is(statAt(handle, 'fifo').type, 'fifo');
  for (const type of ['character', 'block'] as const) {
    makeDeviceAt(handle, type, type, 0o600, { major: 259, minor: 70000 });
    const made = statAt(handle, type);
    assert.is(made.type, type);
    assert.equal([made.major, made.minor], [259, 70000]);
    assert.is(lstatSync(join(directory, type)).rdev, deviceNumber(259, 70000));
  }
});

test('every byte but / and NUL can stand in a name', () => {
  const name = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1))
    .filter((character) => character !== '/')
    .join('');
  writeFileSync(toFsPath(`${fromText(directory)}/${name}`), '');
  assert.is(statAt(handle, name).type, 'file');
});

test('a name that would reach the system as another one is refused', () => {
  for (const name of ['file\0x', 'f\u{100}', 'x'.repeat(5000)]) {
    assert.throws(() => statAt(handle, name), /EINVAL|ENAMETOOLONG/);
  }
});

test('an error carries code, syscall and path', () => {
  try {
    statAt(handle, 'missing');
    assert.unreachable();
  } catch (error) {
    const { code, syscall, path, message } = error as NodeJS.ErrnoException;
    assert.equal([code, syscall, path], ['ENOENT', 'statx', 'missing']);
    assert.is(message, "ENOENT: no such file or directory, statx 'missing'");
  }
});

test('an open file is still as it was known until its size, its time or which file it is differs', () => {
  const path = join(temporaryDirectory(), 'f');
  writeFileSync(path, 'content');
  const file = openSync(path, 'r');
  const stat = statFile(file);
  const known = { ...stat, inode: Number(stat.inode) };
  assert.ok(isStill(file, known));
  assert.not(isStill(file, { ...known, device: known.device + 1 }));
  assert.not(isStill(file, { ...known, inode: known.inode + 1 }));
  assert.not(isStill(file, { ...known, size: known.size + 1 }));
  assert.not(isStill(file, { ...known, ctime: known.ctime + 1n }));
  writeFileSync(path, 'grown by this');
  assert.not(isStill(file, known));
  closeSync(file);
});

test('what is below nothing, or below a file, does not exist; what cannot be looked at is an error', () => {
  const path = temporaryDirectory();
  writeFileSync(join(path, 'f'), '');
  symlinkSync('nowhere', join(path, 'link'));
  for (const name of ['f', 'link']) assert.ok(existsAt(currentDirectory, join(path, name)));
  for (const name of ['none', 'none/x', 'f/x']) assert.not(existsAt(currentDirectory, join(path, name)));
  assert.throws(() => existsAt(currentDirectory, join(path, 'x'.repeat(300))), /ENAMETOOLONG/);
});

test.run();
