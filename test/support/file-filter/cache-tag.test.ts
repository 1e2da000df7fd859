import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cacheTag, isCacheDirectory } from '../../../src/support/file-filter/cache-tag.ts';
import { makeFifoAt } from '../../../src/support/posix/make-node.ts';
import { closeFile, openDirectoryAt } from '../../../src/support/posix/open.ts';
import { currentDirectory } from '../../../src/support/posix/stat.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const signature = 'Signature: 8a477f597d28d172789f06886806bc55';

/** Whether a directory counts as a cache in which `make` has put a tag, or something of that name. */
function isCache(name: string, make: (tag: string) => void): boolean {
  const path = join(directory, name);
  mkdirSync(path);
  make(join(path, cacheTag));
  const handle = openDirectoryAt(currentDirectory, path);
  try {
    return isCacheDirectory(handle);
  } finally {
    closeFile(handle);
  }
}

test('a directory is a cache when its tag begins with the signature, whatever follows', () => {
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const before = openFiles();
  assert.ok(isCache('bare', (tag) => writeFileSync(tag, signature)));
  assert.ok(isCache('commented', (tag) => writeFileSync(tag, `${signature}\n# of a test`)));
  assert.is(openFiles(), before);
});

test('it is none without a tag, with another text, or with something that is no file, which nothing waits for', () => {
  assert.not(isCache('untagged', () => {}));
  assert.not(isCache('empty', (tag) => writeFileSync(tag, '')));
  assert.not(isCache('cut', (tag) => writeFileSync(tag, signature.slice(0, -1))));
  assert.not(isCache('other', (tag) => writeFileSync(tag, signature.replace('8a', '8b'))));
  assert.not(isCache('later', (tag) => writeFileSync(tag, ` ${signature}`)));
  assert.not(isCache('directory', (tag) => mkdirSync(tag)));
  assert.not(isCache('pipe', (tag) => makeFifoAt(currentDirectory, tag, 0o600)));
  writeFileSync(join(directory, 'elsewhere'), signature);
  assert.not(isCache('link', (tag) => symlinkSync('../elsewhere', tag)));
});

test.run();
