import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf } from '../../../src/support/errors.ts';
import { WriteBack } from '../../../src/support/posix/write-back.ts';
import { needProgram } from '../debian-program.ts';
import { mountExt4, mountTmpfs } from '../small-disk.ts';

const mebibyte = 1024 * 1024;
let directory: string;
test.before.each(() => {
  directory = mkdtempSync(join(tmpdir(), 'dockerctl-write-back-'));
});
test.after.each(() => rmSync(directory, { recursive: true, force: true }));

/** Writes two and a half mebibytes to the file that it is given, half a mebibyte at a time. */
const child = `
  import { openSync, writeSync } from 'node:fs';
  import { WriteBack } from './src/support/posix/write-back.ts';
  const file = openSync(process.argv[1], 'wx');
  const writeBack = new WriteBack(file);
  for (let size = 2 ** 19; size <= 5 * 2 ** 19; size += 2 ** 19) {
    writeSync(file, Buffer.alloc(2 ** 19));
    writeBack.follow(size);
  }
`;

test('a file goes to its disk step by step while it grows, and what was begun is waited for before the step after next', () => {
  needProgram('strace');
  const log = join(directory, 'log');
  // A file for each thread, lest the words of one stand amidst those of another.
  const traced = ['-ff', '-o', log, '-e', 'trace=sync_file_range'];
  const command = [process.execPath, '--input-type=module', '--eval', child, join(directory, 'file')];
  execFileSync('strace', [...traced, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
  const threads = readdirSync(directory).filter((name) => name.startsWith('log.'));
  const traces = threads.map((name) => readFileSync(join(directory, name), 'latin1')).join('');
  const calls = [...traces.matchAll(/sync_file_range\(\d+, (\d+), (\d+), (\S+)\)/g)];
  assert.ok(calls.length > 2);
  const step = Number(calls[0]![2]);
  const begin = 'SYNC_FILE_RANGE_WRITE';
  const complete = 'SYNC_FILE_RANGE_WAIT_BEFORE|SYNC_FILE_RANGE_WRITE|SYNC_FILE_RANGE_WAIT_AFTER';
  const expected: (string | number)[][] = [];
  for (let from = 0; from + step <= 2.5 * mebibyte; from += step) {
    expected.push([from, step, begin]);
    if (from > 0) expected.push([from - step, step, complete]);
  }
  assert.equal(
    calls.map(([, from, length, flags]) => [Number(from), Number(length), flags]),
    expected,
  );
});

test('an error that the disk reports while a file grows is thrown: fsync would not tell it again', () => {
  const store = mountTmpfs(join(directory, 'store'), { mebibytes: 12, inodes: 20 });
  const disk = mountExt4(join(store.directory, 'disk'), { mebibytes: 64, inodes: 20 });
  const file = openSync(join(disk.directory, 'file'), 'wx');
  try {
    const writeBack = new WriteBack(file);
    const writeMuch = () => {
      for (let size = mebibyte; size <= 40 * mebibyte; size += mebibyte) {
        writeSync(file, Buffer.alloc(mebibyte, 1));
        writeBack.follow(size);
      }
    };
    assert.throws(writeMuch, (error: unknown) => codeOf(error) === 'ENOSPC');
  } finally {
    closeSync(file);
    disk.remove();
    store.remove();
  }
});

test('what cannot be brought to a disk is left to itself', () => {
  const terminal = openSync('/dev/null', 'w');
  new WriteBack(terminal).follow(10 * mebibyte);
  closeSync(terminal);
});

test.run();
