import { cpSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NoSpaceError } from '../../../src/support/errors.ts';
import { quietContext } from '../../support/save-directory.ts';
import { mountTmpfs } from '../../support/small-disk.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { exported, imported, makeRepository, stream, wholeSnapshots } from './exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));

test('a snapshot that is taken in onto a full disk shows only when all of it is there, and is taken in once there is room', async () => {
  const { directory, snapshots } = await makeRepository(root, context, { snapshots: 2, size: 300_000 });
  const [first, second] = snapshots.map(({ id }) => id) as [string, string];
  const [older, newer] = [
    await exported(directory, first, context),
    await exported(directory, second, context),
  ];
  const golden = join(root, 'golden');
  await imported(golden, stream(older), context);
  const disk = mountTmpfs(join(root, 'disk'), { mebibytes: 16, inodes: 100 });
  const [to, free] = [join(disk.directory, 'repository'), () => statfsSync(disk.directory).bavail * 4096];
  const begin = () => {
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
    cpSync(golden, to, { recursive: true });
  };
  try {
    begin();
    const before = free();
    await imported(to, stream(newer), context);
    const need = before - free();
    for (const room of [0, need / 2, need - 20_480, need - 12_288, need - 8192, need - 4096]) {
      begin();
      disk.leaveFree(room);
      const error = await imported(to, stream(newer), context).catch((thrown) => thrown);
      assert.instance(error, NoSpaceError, `${room} of ${need}: ${error}`);
      const blobs = (repository: string) => readdirSync(join(repository, 'blobs', 'sha256')).sort();
      if (room <= need / 2) assert.equal(blobs(to), blobs(golden), 'refused before anything is written');
      disk.clear();
      assert.equal(await wholeSnapshots(to, context), [first], `${room} of ${need}`);
      await imported(to, stream(newer), context);
      assert.equal(await wholeSnapshots(to, context), [first, second]);
    }
  } finally {
    disk.remove();
  }
});

test.run();
