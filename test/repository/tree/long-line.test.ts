import { hash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../src/repository/entry.ts';
import { encodeLine } from '../../../src/repository/tree/line.ts';
import { decodeLineAt } from '../../../src/repository/tree/long-line.ts';
import { DamagedError } from '../../../src/support/errors.ts';

const file: Entry = {
  path: 'var/lib/disk.img',
  type: 'file',
  mode: 0o600,
  uid: 0,
  gid: 0,
  mtime: 1_700_000_000_000_000_000n,
  size: 2 ** 50,
  chunks: Array.from({ length: 70_000 }, (_, i) => hash('sha256', `${i}`)),
  inode: 7,
};
const holes = Array.from({ length: 250_000 }, (_, i): [number, number] => [i * 2 ** 20, 4096]);

function decode(line: string): Entry {
  const text = Buffer.from(`before\n${line}\n`);
  return decodeLineAt(text, 7, text.length - 1, 'the test');
}

function refused(line: string, why: RegExp): void {
  const isTold = (error: unknown) => error instanceof DamagedError && why.test(error.message);
  assert.throws(() => decode(line), isTold);
}

test('the line of a file of terabytes, with any number of chunks and holes, is read back as it was', () => {
  const sparse = { ...file, holes, xattrs: { 'user.x': Buffer.from('value') } };
  for (const entry of [file, sparse, { ...sparse, chunks: [] }]) {
    const line = encodeLine(entry);
    assert.ok(line.length > 4 << 20);
    assert.is(encodeLine(decode(line)), line);
  }
});

test('a line that is long without the lists of a file is damage, and is not taken for JSON', () => {
  const long = 5 << 20;
  for (const [opening, unit] of [
    ['{"path":"', 'a'],
    ['{"path":"x","xattrs":[', '{},'],
    ['{"path":"x","chunks":[', '[],'],
    ['{"path":"x","chunks":[],"holes":[', '[0,0],0,'],
  ] as const)
    refused(
      opening + unit.repeat(long / unit.length),
      /the line \{"path":"x?.* bytes, more than its file can need$/,
    );
});

test('in a long list too an item that is none is damage', () => {
  const line = encodeLine({ ...file, holes });
  refused(line.replace(file.chunks![69_999]!, 'g'.repeat(64)), /names a chunk that is no digest/);
  refused(line.replace('[1048576,4096]', '[0,4096]'), /has holes that overlap/);
});

test.run();
