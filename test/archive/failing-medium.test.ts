import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ArchiveInput, groupInputs } from '../../src/archive/input.ts';
import { writeVolumes } from '../../src/archive/volumes/writer.ts';
import { verifyArchives } from '../../src/releases/verify.ts';
import { DamagedError, UsageError } from '../../src/support/errors.ts';
import { silent } from '../../src/support/progress.ts';
import { rejects } from '../support/rejects.ts';
import { mountExt4 } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { docker113 } from './fixtures/eras.ts';
import { fixtureImage } from './fixtures/images.ts';
import { tarOf } from './fixtures/tar.ts';

const root = temporaryDirectory();
const context = {
  progress: silent,
  signal: new AbortController().signal,
  now: () => new Date(0),
  stateDir: root,
};
const verify = (input: ArchiveInput) => verifyArchives([input], {}, context);

test('a disk that fails or is pulled out while an archive is read is told of, with what to do', async () => {
  const disk = mountExt4(join(root, 'disk'), { mebibytes: 48, inodes: 100 });
  try {
    const contents = ['lowest', 'next', 'top'].map((name) => name.repeat(1_000_000));
    const tar = await tarOf(docker113([await fixtureImage({ contents })]));
    const path = join(disk.directory, 'a.tar');
    writeFileSync(path, tar);
    const volumes = await writeVolumes(path, 4 << 20, Readable.from([tar]));
    const [set] = await groupInputs(volumes);
    execFileSync('sync', ['-f', path]);
    // What lies behind the end of the disk's own file cannot be read.
    truncateSync(`${disk.directory}.ext4`, 2 << 20);
    execFileSync('sh', ['-c', 'echo 1 >/proc/sys/vm/drop_caches']);
    for (const input of [path, set!, { name: 'standard input', stream: createReadStream(path) }]) {
      const { message, advice } = await rejects(() => verify(input), DamagedError);
      assert.match(message, /cannot be read.* \(EIO\)$/);
      assert.match(advice ?? '', 'still connected');
    }
  } finally {
    disk.remove();
  }
});

test('of a directory it is told what in it may have been meant', async () => {
  const directory = join(root, 'usb');
  mkdirSync(directory);
  const adviceOf = async () => (await rejects(() => verify(directory), UsageError)).advice ?? '';
  assert.match(await adviceOf(), 'none in there');
  for (const name of ['shop.tar.xz', 'b.tar.001', 'notes.txt']) writeFileSync(join(directory, name), '');
  assert.is(await adviceOf(), 'In it are b.tar.001, shop.tar.xz');
  writeFileSync(join(directory, 'oci-layout'), '{}');
  assert.match(await adviceOf(), `tar -C ${directory} -c .`);
});

test.run();
