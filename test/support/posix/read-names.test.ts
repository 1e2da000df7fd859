import { mkdirSync, mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toFsPath } from '../../../src/support/posix/byte-path.ts';
import { openDirectoryAt } from '../../../src/support/posix/open.ts';
import { readNames } from '../../../src/support/posix/read-names.ts';
import { currentDirectory } from '../../../src/support/posix/stat.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const home = temporaryDirectory();

function directoryWith(names: readonly string[]): string {
  const directory = mkdtempSync(join(home, 'names-'));
  for (const name of names) writeFileSync(toFsPath(`${directory}/${name}`), '');
  return directory;
}

function namesIn(directory: string): string[] {
  return readNames(openDirectoryAt(currentDirectory, directory)).sort();
}

test('an empty directory has no names', () => {
  assert.equal(namesIn(directoryWith([])), []);
});

test('names are exact, whatever bytes they are of', () => {
  const names = ['\x01', ' ', '...', '.hidden', 'a', 'a\n', 'x'.repeat(255), '\xe9', '\xff'.repeat(255)];
  assert.equal(namesIn(directoryWith(names)), names);
});

test('a directory of many long names is read to its end', () => {
  const names = Array.from({ length: 3000 }, (_, i) => `${String(i).padStart(4, '0')}${'n'.repeat(200)}`);
  assert.equal(namesIn(directoryWith(names)), names);
});

test('what is no directory, or is one no more, has none to tell', () => {
  const directory = directoryWith([]);
  mkdirSync(join(directory, 'gone'));
  const gone = openDirectoryAt(currentDirectory, join(directory, 'gone'));
  rmdirSync(join(directory, 'gone'));
  assert.throws(() => readNames(gone), /ENOENT/);
  assert.throws(() => readNames(-1), /EBADF/);
});

test.run();
