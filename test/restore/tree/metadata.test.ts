import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyMetadata, metadataOptions, verifyMetadata } from '../../../src/restore/tree/metadata.ts';
import { statAt } from '../../../src/support/posix/stat.ts';
import { mountExt4 } from '../../support/small-disk.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { entry } from '../memory-repository.ts';

test('times that a file system cannot hold come as near as it can, and one sentence tells of all of them', () => {
  const disk = mountExt4(join(temporaryDirectory(), 'old'), { mebibytes: 1, inodes: 32, inodeBytes: 128 });
  const directory = openSync(disk.directory, 'r');
  const second = 1_000_000_000n;
  const latest = (2n ** 31n - 1n) * second;
  const warnings: string[] = [];
  const options = metadataOptions(warnings);
  try {
    for (const [name, mtime, held] of [
      ['exact', 5n * second, 5n * second],
      ['fraction', 5n * second + 7n, 5n * second],
      ['before 1970', -second + 1n, -second],
      ['too late', latest + second, latest],
    ] as const) {
      writeFileSync(join(disk.directory, name), '');
      const made = entry('file', name, { mtime, size: 0 });
      applyMetadata({ directory, name }, made, options);
      verifyMetadata({ directory, name }, made, options);
      assert.is(statAt(directory, name).mtime, held, name);
    }
  } finally {
    closeSync(directory);
    disk.remove();
  }
  assert.equal(warnings, ['fraction and 2 more: the file system here cannot hold the exact time']);
});

test('whoever may not give files away makes none that is setuid to another, and is told of every kind of loss', () => {
  const work = temporaryDirectory();
  const directory = openSync(work, 'r');
  const { uid, gid } = statAt(directory, '.');
  const warnings: string[] = [];
  const options = { ...metadataOptions(warnings), owners: false };
  try {
    for (const [name, owner, mode, made] of [
      ['own', { uid, gid }, 0o6755, 0o6755],
      ['foreign', { uid: uid + 1, gid }, 0o4755, 0o755],
      ['of another group', { uid, gid: gid + 1 }, 0o2751, 0o751],
      ['plain', { uid: uid + 1, gid: gid + 1 }, 0o1644, 0o1644],
    ] as const) {
      writeFileSync(join(work, name), '');
      const wanted = entry('file', name, { ...owner, mode, size: 0 });
      applyMetadata({ directory, name }, wanted, options);
      verifyMetadata({ directory, name }, wanted, options);
      assert.is(statAt(directory, name).mode, made, name);
    }
  } finally {
    closeSync(directory);
  }
  assert.equal(warnings, [
    'foreign and 2 more: only root can give back the owner',
    'foreign and 1 more: setuid and setgid are left out, for they would be those of another owner',
  ]);
});

test.run();
