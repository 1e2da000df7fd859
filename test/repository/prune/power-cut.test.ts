import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeIdentity, generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import { cutEverywhere } from '../../support/power-cut/cut-everywhere.ts';
import type { Survivors } from '../../support/power-cut/disk.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const child = join(import.meta.dirname, '..', '..', 'support', 'remove-child.ts');
const files = join(root, 'files');
mkdirSync(files);

/** A repository of three snapshots on a disk of its own, whose files are partly the same. */
async function saveThree(disk: string, keys: readonly Identity[]): Promise<string[]> {
  const context = quietContext(join(disk, 'state'));
  mkdirSync(join(disk, 'state'), { recursive: true });
  const repository = await openOrCreateRepository(join(disk, 'repository'), context);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(files, 'shared'), 'always the same');
    writeFileSync(join(files, `file-${i % 2}`), `content of run ${i}`.repeat(100));
    ids.push((await saveDirectories(repository, { files }, context, keys)).id);
  }
  await repository.close();
  return ids;
}

/**
 * Everything that is listed must be whole, what stays must be listed, and both another run and another removal work.
 */
async function checkAfterCut(
  copy: string,
  { stays, goes, keys }: { stays: string[]; goes: string[]; keys: readonly Identity[] },
  when: string,
): Promise<number> {
  const context = quietContext(join(copy, 'state'));
  const repository = await openRepository(join(copy, 'repository'), context, { identities: keys });
  try {
    assert.equal((await repository.verify({ readData: true }, context)).damage, [], when);
    const listed = (await repository.snapshots()).map(({ id }) => id);
    for (const id of stays) assert.ok(listed.includes(id), `${when}: ${id} is gone`);
    const next = await saveDirectories(repository, { files }, context, keys);
    assert.ok(next.complete, when);
    await repository.remove(goes, context);
    assert.equal((await repository.verify({ readData: true }, context)).damage, [], `${when}, afterwards`);
    const left = (await repository.snapshots()).map(({ id }) => id);
    assert.equal(left, [...stays, next.id], when);
    return listed.length;
  } finally {
    await repository.close();
  }
}

async function cutPruning(
  name: string,
  keys: readonly Identity[],
  survivors: readonly Survivors[],
): Promise<void> {
  const disk = join(root, name);
  const [first, second, third] = (await saveThree(disk, keys)) as [string, string, string];
  const [stays, goes] = [[third], [first, second]];
  const argv = [child, join(disk, 'repository'), join(disk, 'state'), ...goes, ...keys.map(encodeIdentity)];
  const cuts = { disk, scratch: root, survivors };
  const counts = new Set<number>();
  const states = await cutEverywhere(
    { ...cuts, command: [process.execPath, ...argv] },
    async (copy, when) => {
      counts.add(await checkAfterCut(copy, { stays, goes, keys }, when));
    },
    async (copy) => {
      assert.is(await checkAfterCut(copy, { stays, goes, keys }, 'at the end'), 1, 'what is removed is gone');
    },
  );
  assert.ok(states > 20, `${states} states`);
  assert.equal([...counts].sort(), [1, 2, 3], 'cuts before, between and after the removals');
}

test('whenever power is cut while snapshots are removed, all that are listed are whole, and it can be run again', async () => {
  await cutPruning('plain', [], ['synced', 'some', 'everything']);
});

test('so it is when they are encrypted, and packs are written anew with the key', async () => {
  await cutPruning('encrypted', [generateIdentity()], ['synced', 'everything']);
});

test.run();
