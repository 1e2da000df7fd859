import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeDirectoryDurably, replaceDurably } from '../../src/support/durable.ts';
import { codeOf } from '../../src/support/errors.ts';
import { cutEverywhere } from './power-cut/cut-everywhere.ts';
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

test('whenever power is cut a file has its old bytes or the new ones, and keeps what it had when the next was begun', async () => {
  const disk = join(root, 'disk');
  mkdirSync(disk);
  writeFileSync(join(disk, 'first'), 'old');
  const code = `
    import { makeDirectoryDurably, writeFileDurably } from '${import.meta.resolve('../../src/support/durable.ts')}';
    await writeFileDurably('${disk}/first', 'new');
    await makeDirectoryDurably('${disk}/a/b');
    await writeFileDurably('${disk}/a/b/second', 'new');
    await writeFileDurably('${disk}/last', 'new');`;
  const command = [process.execPath, '--input-type=module', '-e', code];
  const survivors = ['synced', 'names', 'some', 'everything'] as const;
  const states = await cutEverywhere({ disk, command, scratch: root, survivors }, async (copy, when) => {
    const contentOf = (name: string) =>
      existsSync(join(copy, name)) ? readFileSync(join(copy, name), 'utf8') : 'none';
    assert.ok(['old', 'new'].includes(contentOf('first')), when);
    if (existsSync(join(copy, 'a'))) assert.is(contentOf('first'), 'new', when);
    assert.ok(['none', 'new'].includes(contentOf('a/b/second')), when);
    if (readdirSync(copy).some((name) => name.includes('last')))
      assert.is(contentOf('a/b/second'), 'new', when);
  });
  assert.ok(states > 5, `${states} states`);
});

test('of a file that could not be written whole nothing stays but the old one', async () => {
  const directory = join(root, 'failing');
  mkdirSync(directory);
  writeFileSync(join(directory, 'file'), 'old');
  const failing = replaceDurably(join(directory, 'file'), 0o600, async (file) => {
    await file.writeFile('new');
    throw new Error('no more came');
  });
  assert.is(
    await failing.then(
      () => 'written',
      ({ message }: Error) => message,
    ),
    'no more came',
  );
  assert.equal(readdirSync(directory), ['file']);
  assert.is(readFileSync(join(directory, 'file'), 'utf8'), 'old');
});

test.run();
