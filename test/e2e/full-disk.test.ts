import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import { mountTmpfs } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { fillDisk } from './torture/full-disk.ts';

const root = temporaryDirectory();

/** `npm run torture -- fill` does it at greater length, on ext4 too. */
async function fillSome(name: string, keys: readonly Identity[], fills: number): Promise<void> {
  const home = join(root, name);
  mkdirSync(home);
  const disk = mountTmpfs(join(root, 'disk'), { mebibytes: 24, inodes: 200 });
  try {
    const counts = await fillDisk({ home, disk, keys, fills });
    assert.equal(counts.prune, { 0: fills });
    assert.equal(counts.inodes, { 0: 1, 13: 1 });
  } finally {
    disk.remove();
  }
}

test('on a full disk a backup ends with 13 and spoils nothing, pruning works, and a full state directory costs no backup', async () => {
  await fillSome('plain', [], 4);
});

test('so it is when backups are encrypted', async () => {
  await fillSome('encrypted', [generateIdentity()], 4);
});

test.run();
