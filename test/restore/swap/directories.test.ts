import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  makeDirectory,
  missingDirectories,
  openPlainDirectory,
  setModificationTime,
} from '../../../src/restore/swap/directories.ts';
import { createStaging, removeStaging } from '../../../src/restore/swap/staging.ts';
import { failure } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const disk = join(root, 'disk');

/** As a disk is once its driver has met an error. */
async function readOnly(work: () => Promise<void>): Promise<void> {
  mkdirSync(disk, { recursive: true });
  execFileSync('mount', ['--bind', disk, disk]);
  execFileSync('mount', ['-o', 'remount,bind,ro', disk]);
  try {
    await work();
  } finally {
    execFileSync('umount', [disk]);
  }
}

const refusal = async (act: () => unknown) => (await failure((async () => act())())).message;

test('a disk that can only be read is named with the whole path at which something was to be made', () =>
  readOnly(async () => {
    const refused = 'EROFS: read-only file system, mkdir';
    assert.is(await refusal(() => makeDirectory(join(disk, 'new'), 0o755)), `${refused} '${disk}/new'`);
    assert.is(
      await refusal(() => createStaging(disk, '0123abcd')),
      `${refused} '${disk}/.dockerctl-restore-0123abcd'`,
    );
  }));

test('of a restore that came to nothing there, nothing need be taken back', () =>
  readOnly(async () => {
    await removeStaging(disk, '0123abcd');
    setModificationTime(disk, statSync(disk, { bigint: true }).mtimeNs);
    assert.match(await refusal(() => setModificationTime(disk, 1n)), new RegExp(` '${disk}'$`));
    assert.equal(readdirSync(disk), []);
  }));

test('a directory that is not there, or behind a link, is named with its whole path', async () => {
  const path = join(root, 'a/b');
  assert.is(
    await refusal(() => openPlainDirectory(path)),
    `ENOENT: no such file or directory, openat '${path}'`,
  );
  assert.equal(missingDirectories(path), [join(root, 'a'), path]);
});

test.run();
