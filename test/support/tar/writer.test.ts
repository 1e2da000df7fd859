import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tarEnd, tarFileHeader, tarHeader, tarPadding } from '../../../src/support/tar/writer.ts';

function list(tar: Uint8Array): string {
  const { status, stdout, stderr } = spawnSync('tar', ['-tvf', '-', '--numeric-owner', '--utc'], {
    input: tar,
  });
  assert.is(status, 0, String(stderr));
  return String(stdout);
}

test('tar reads what we write, with mode, owner and time fixed', () => {
  const content = Buffer.from('hello');
  const name = `blobs/sha256/${'a'.repeat(64)}`;
  const tar = Buffer.concat([tarFileHeader(name, 5), content, tarPadding(5), tarEnd]);
  assert.is(tar.length, 512 + 512 + 1024);
  assert.is(list(tar), `-rw-r--r-- 0/0               5 1970-01-01 00:00 ${name}\n`);
});

test('sizes on both sides of 8 GiB are written as readers expect them', () => {
  for (const size of [0, 8 ** 11 - 1, 8 ** 11, 5_000_000_000_000]) {
    const { stdout } = spawnSync('tar', ['-tvf', '-', '--numeric-owner'], {
      input: tarFileHeader('x', size),
    });
    assert.is(String(stdout).split(/ +/)[2], String(size));
  }
});

test('content is padded to whole blocks', () => {
  assert.equal(
    [0, 1, 511, 512, 513].map((size) => tarPadding(size).length),
    [0, 511, 1, 0, 511],
  );
});

test('a name that does not fit a header is a mistake of ours', () => {
  assert.throws(() => tarFileHeader('x'.repeat(101), 0), /too long/);
});

test('what a header says of an entry, tar reads: long names, owners and times of any size, before 1970 too', () => {
  const name = `${'d'.repeat(90)}/${'n'.repeat(90)}\xff`;
  const far = Date.UTC(2300, 0, 1) / 1000;
  const tar = Buffer.concat([
    tarHeader({ name, type: 'file', mode: 0o750, uid: 3_000_000, gid: 2 ** 31, mtime: far }),
    tarHeader({ name: 'link', type: 'symlink', linkname: name, mtime: -86_400 }),
    tarHeader({ name: 'dir/', type: 'directory', mode: 0o1777 }),
    tarEnd,
  ]);
  const shown = name.replace('\xff', '\\377');
  assert.is(
    list(tar).replaceAll(/ {2,}/g, ' '),
    [
      `-rwxr-x--- 3000000/2147483648 0 2300-01-01 00:00 ${shown}`,
      `lrw-r--r-- 0/0 0 1969-12-31 00:00 link -> ${shown}`,
      'drwxrwxrwt 0/0 0 1970-01-01 00:00 dir/',
      '',
    ].join('\n'),
  );
});

test.run();
