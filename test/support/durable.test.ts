import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeDirectoryDurably } from '../../src/support/durable.ts';
import { codeOf } from '../../src/support/errors.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const root = temporaryDirectory();

test('a directory is made with its parents, private all of them, and one that is there is left alone', async () => {
  const directory = join(root, 'a', 'b', 'c');
  await makeDirectoryDurably(directory);
  for (const path of ['a', 'a/b', 'a/b/c']) assert.is(statSync(join(root, path)).mode & 0o7777, 0o700, path);
  mkdirSync(join(root, 'open'), { mode: 0o755 });
  await makeDirectoryDurably(join(root, 'open'));
  assert.is(statSync(join(root, 'open')).mode & 0o7777, 0o755);
});

test('where none can be made it says why, and does not try for ever', async () => {
  writeFileSync(join(root, 'file'), '');
  symlinkSync('nowhere', join(root, 'dangling'));
  const reasons = await Promise.all(
    ['/proc/none/deep', join(root, 'file'), join(root, 'file', 'deep'), join(root, 'dangling', 'deep')].map(
      (path) => makeDirectoryDurably(path).then(() => 'made', codeOf),
    ),
  );
  assert.equal(reasons, ['ENOENT', 'EEXIST', 'ENOTDIR', 'EEXIST']);
});

test.run();
