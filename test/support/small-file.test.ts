import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSmallFile } from '../../src/support/small-file.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const path = join(temporaryDirectory(), 'file');

test('a file is read up to its limit', () => {
  writeFileSync(path, 'abc');
  assert.is(readSmallFile(path, 3).toString(), 'abc');
  assert.throws(() => readSmallFile(path, 2), /has 3 bytes, more than the 2 that are sensible/);
  assert.throws(() => readSmallFile(`${path}-gone`, 3), /ENOENT/);
});

test('what is no file is refused at once, a pipe that nobody writes into too', () => {
  mkdirSync(`${path}-directory`);
  execFileSync('mkfifo', [`${path}-pipe`]);
  for (const other of [`${path}-directory`, `${path}-pipe`, '/dev/zero'])
    assert.throws(() => readSmallFile(other, 100), /it is no file/);
});

test.run();
