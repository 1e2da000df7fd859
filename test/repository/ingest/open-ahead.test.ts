import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openAhead } from '../../../src/repository/ingest/open-ahead.ts';
import { closeFile } from '../../../src/support/posix/open.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

// Not in memory, as /tmp may be: one test looks what of a file is fetched from its disk.
const root = join(temporaryDirectory('/var/tmp'), 'files');
mkdirSync(root);
const directory = openSync(root, 'r');
const names = Array.from({ length: 40 }, (_, i) => `file-${i}`);
for (const name of names) writeFileSync(join(root, name), name);
const filesOf = (wanted: readonly string[]) =>
  wanted.map((name) => ({ directory, name, device: 0, inode: 0, size: 7, blocks: 8, ctime: 0n }));

const openFiles = () => readdirSync('/proc/self/fd').length;

test('files come in their order, each one open, and few more than that one', () => {
  const before = openFiles();
  const content = Buffer.alloc(10);
  for (const opened of openAhead(filesOf(names))) {
    assert.ok('handle' in opened);
    assert.ok(openFiles() - before <= 16, String(openFiles() - before));
    const length = readSync(opened.handle, content, 0, 10, 0);
    assert.is(content.toString('latin1', 0, length), opened.file.name);
    closeFile(opened.handle);
  }
  assert.is(openFiles(), before);
});

test('one that is not there, or a link, is told in its turn', () => {
  symlinkSync('file-1', join(root, 'link'));
  const told = [...openAhead(filesOf(['file-0', 'nowhere', 'link', 'file-1']))].map((opened) => {
    if ('error' in opened) return opened.error;
    closeFile(opened.handle);
    return opened.file.name;
  });
  assert.equal(told, ['file-0', 'ENOENT', 'ELOOP', 'file-1']);
});

test('whoever stops before the end leaves no file open', () => {
  const before = openFiles();
  for (const opened of openAhead(filesOf(names))) {
    if ('handle' in opened) closeFile(opened.handle);
    if ('handle' in opened && opened.file.name === 'file-3') break;
  }
  assert.is(openFiles(), before);
});

test('the content of files that wait for their turn is fetched meanwhile', async () => {
  const large = 'large';
  writeFileSync(join(root, large), Buffer.alloc(256 * 1024));
  const path = join(root, large);
  execFileSync('sync', [path]);
  const pagesInMemory = () =>
    Number(execFileSync('fincore', ['-nr', '-o', 'PAGES', path], { encoding: 'utf8' }));
  const isSoon = async (met: () => boolean) => {
    for (let look = 0; look < 200 && !met(); look++) await setTimeout(20);
    return met();
  };
  const drop = () => execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
  assert.ok(await isSoon(() => drop() && pagesInMemory() === 0));
  const files = [...filesOf(['file-0']), { ...filesOf([large])[0]!, size: statSync(path).size }];
  const ahead = openAhead(files);
  const first = ahead.next().value;
  assert.ok(first && 'handle' in first);
  closeFile(first.handle);
  assert.ok(await isSoon(() => pagesInMemory() > 0));
  ahead.return(undefined);
});

test.run();
