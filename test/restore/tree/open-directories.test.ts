import { closeSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OpenDirectories } from '../../../src/restore/tree/open-directories.ts';
import { codeOf } from '../../../src/support/errors.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { entry } from '../memory-repository.ts';

const work = temporaryDirectory();
let count = 0;

/** Directories that are made in a new one, and the paths of those that were completed, each while it was open. */
function openIn(): { root: string; descriptor: number; directories: OpenDirectories; completed: string[] } {
  const root = join(work, String(count++));
  mkdirSync(root);
  const descriptor = openSync(root, 'r');
  const completed: string[] = [];
  const directories = new OpenDirectories(({ file }, { path }) => {
    assert.ok(fstatSync(file).isDirectory());
    completed.push(path);
  });
  return { root, descriptor, directories, completed };
}

test('a directory is made for its owner alone, and completed after all that is in it', () => {
  const { root, descriptor, directories, completed } = openIn();
  directories.enter(entry('directory', 'a'), { directory: descriptor, name: 'a' });
  const outer = directories.current!;
  directories.enter(entry('directory', 'a/b'), { directory: outer.descriptor, name: 'b' });
  assert.is(statSync(join(root, 'a/b')).mode & 0o7777, 0o700);
  directories.leaveFor('a/b/c');
  assert.equal(completed, [], 'still inside');
  directories.leaveFor('a/bc');
  assert.equal(completed, ['a/b']);
  assert.is(directories.current, outer);
  directories.leaveFor('ab');
  assert.equal(completed, ['a/b', 'a']);
  assert.is(directories.current, undefined);
  closeSync(descriptor);
});

test('a directory whose files are on their way is completed with the last of them, and then its parents', () => {
  const { descriptor, directories, completed } = openIn();
  directories.enter(entry('directory', 'a'), { directory: descriptor, name: 'a' });
  directories.enter(entry('directory', 'a/b'), { directory: directories.current!.descriptor, name: 'b' });
  const inner = directories.current!;
  directories.hold(inner);
  directories.hold(inner);
  directories.leaveAll();
  assert.is(directories.current, undefined);
  directories.release(inner);
  assert.equal(completed, []);
  directories.release(inner);
  assert.equal(completed, ['a/b', 'a']);
  closeSync(descriptor);
});

test('a directory that was made is closed when it is completed', () => {
  const { descriptor, directories } = openIn();
  directories.enter(entry('directory', 'a'), { directory: descriptor, name: 'a' });
  const made = directories.current!.descriptor;
  directories.leaveAll();
  assert.is(
    failureOf(() => fstatSync(made)),
    'EBADF',
  );
  closeSync(descriptor);
});

test('a directory that stays where it is is neither completed nor closed', () => {
  const { root, descriptor, directories, completed } = openIn();
  directories.enterKept(entry('directory', '.'), descriptor);
  directories.enter(entry('directory', 'a'), { directory: descriptor, name: 'a' });
  directories.leaveAll();
  assert.equal(completed, ['a']);
  assert.is(fstatSync(descriptor).ino, statSync(root).ino);
  closeSync(descriptor);
});

test('what is there already is not gone into', () => {
  const { root, descriptor, directories } = openIn();
  mkdirSync(join(root, 'a'));
  const enter = () => directories.enter(entry('directory', 'a'), { directory: descriptor, name: 'a' });
  assert.is(failureOf(enter), 'EEXIST');
  assert.is(directories.current, undefined);
  closeSync(descriptor);
});

function failureOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

test.run();
