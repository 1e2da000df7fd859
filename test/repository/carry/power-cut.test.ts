import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import { cutEverywhere } from '../../support/power-cut/cut-everywhere.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { exported, imported, makeRepository, stream, wholeSnapshots } from './exported.ts';

const root = temporaryDirectory();
const child = join(import.meta.dirname, '..', '..', 'support', 'import-child.ts');

/**
 * Takes the second snapshot into a repository that has the first, as an import and a receiver both do, and cuts the
 * power after each operation: the first is whole, the second too if it is there at all, and taking it in again works.
 */
async function cutImporting(keys: readonly Identity[]): Promise<void> {
  const home = mkdtempSync(join(root, 'case-'));
  const context = quietContext(join(home, 'elsewhere'));
  const { directory, snapshots } = await makeRepository(home, context, { snapshots: 2, recipients: keys });
  const [first, second] = snapshots.map(({ id }) => id) as [string, string];
  const archives = [await exported(directory, first, context), await exported(directory, second, context)];
  const disk = join(home, 'disk');
  mkdirSync(join(disk, 'state'), { recursive: true });
  await imported(join(disk, 'repository'), stream(archives[0]!), context);
  writeFileSync(join(home, 'archive.tar'), archives[1]!);
  const argv = [child, join(disk, 'repository'), join(disk, 'state'), join(home, 'archive.tar')];
  const cuts = { disk, scratch: home, survivors: ['synced', 'names', 'some', 'everything'] as const };
  const counts = new Set<number>();
  const states = await cutEverywhere(
    { ...cuts, command: [process.execPath, ...argv] },
    async (copy, when) => {
      const listed = await wholeSnapshots(join(copy, 'repository'), context);
      assert.is(listed[0], first, when);
      counts.add(listed.length);
      await imported(join(copy, 'repository'), stream(archives[1]!), context);
      assert.equal(await wholeSnapshots(join(copy, 'repository'), context), [first, second], when);
    },
    async (copy) => {
      assert.equal(
        await wholeSnapshots(join(copy, 'repository'), context),
        [first, second],
        'taken in is there',
      );
    },
  );
  assert.ok(states > 10, `${states} states`);
  assert.equal([...counts].sort(), [1, 2], 'cuts before and after the commit');
}

test('whenever power is cut while a snapshot is taken in, what is listed is whole, and it can be taken in again', async () => {
  await cutImporting([]);
});

test('so it is with one that is encrypted', async () => {
  await cutImporting([generateIdentity()]);
});

test.run();
