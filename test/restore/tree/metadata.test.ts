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

test.run();
