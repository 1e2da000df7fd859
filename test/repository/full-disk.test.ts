import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { NoSpaceError } from '../../src/support/errors.ts';
import { quietContext, saveDirectories } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));

/** Runs `use` with a file system of its own of so many MiB. */
async function withDisk(size: number, use: (disk: string) => Promise<void>): Promise<void> {
  const disk = join(root, 'disk');
  mkdirSync(disk, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m,mode=700`, 'small', disk]);
  try {
    await use(disk);
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
}

/** Leaves so many bytes free. */
function fill(disk: string, free: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - free)));
}

async function runOutOfSpace(keys: readonly Identity[]): Promise<void> {
  const files = join(root, keys.length === 0 ? 'plain-files' : 'sealed-files');
  mkdirSync(files);
  for (let i = 0; i < 30; i++) writeFileSync(join(files, `file-${i}`), randomBytes(10_000));
  await withDisk(24, async (disk) => {
    const repository = await openOrCreateRepository(join(disk, 'repository'), context, { identities: keys });
    const old = await saveDirectories(repository, { files }, context, keys);
    writeFileSync(join(files, 'large'), randomBytes(6_000_000));
    const fills = 10;
    for (let i = 0; i < fills; i++) {
      fill(disk, Math.floor((6_100_000 * i) / fills));
      const error = await saveDirectories(repository, { files }, context, keys).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.instance(error, NoSpaceError, `fill ${i}: ${String(error)}`);
      rmSync(join(disk, 'filler'));
      assert.equal(readdirSync(join(disk, 'repository', 'tmp')), [], `fill ${i}`);
      assert.equal((await repository.verify({ readData: true }, context)).damage, [], `fill ${i}`);
      assert.equal(
        (await repository.snapshots()).map(({ id }) => id),
        [old.id],
      );
    }
    const next = await saveDirectories(repository, { files }, context, keys);
    assert.ok(next.complete);
    assert.equal((await repository.verify({ readData: true }, context)).damage, []);
    await repository.close();
  });
}

test('a disk that fills up ends the run, keeps older snapshots whole and frees what was written', async () => {
  await runOutOfSpace([]);
});

test('so it does when the backup is encrypted', async () => {
  await runOutOfSpace([generateIdentity()]);
});

test.run();
