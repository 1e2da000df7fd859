import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import { Disk } from '../../support/power-cut/disk.ts';
import { record } from '../../support/power-cut/record.ts';
import { seed } from '../../support/random.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const child = join(import.meta.dirname, '..', '..', 'support', 'remove-child.ts');
const files = join(root, 'files');
mkdirSync(files);

/** A repository of three snapshots on a disk of its own, whose files are partly the same. */
async function saveThree(disk: string): Promise<string[]> {
  const context = quietContext(join(disk, 'state'));
  mkdirSync(join(disk, 'state'), { recursive: true });
  const repository = await openOrCreateRepository(join(disk, 'repository'), context);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    writeFileSync(join(files, 'shared'), 'always the same');
    writeFileSync(join(files, `file-${i % 2}`), `content of run ${i}`.repeat(100));
    ids.push((await saveDirectories(repository, { files }, context)).id);
  }
  await repository.close();
  return ids;
}

/** Everything that is listed must be whole, what stays must be listed, and both another run and another removal work. */
async function checkAfterCut(copy: string, stays: string[], goes: string[], when: string): Promise<number> {
  const context = quietContext(join(copy, 'state'));
  const repository = await openRepository(join(copy, 'repository'), context);
  try {
    assert.equal((await repository.verify({ readData: true }, context)).damage, [], when);
    const listed = (await repository.snapshots()).map(({ id }) => id);
    for (const id of stays) assert.ok(listed.includes(id), `${when}: ${id} is gone`);
    const next = await saveDirectories(repository, { files }, context);
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

function stateOf(directory: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\0`);
    // What the reserve holds is random and means nothing.
    if (entry.isFile() && entry.name !== 'reserve') hash.update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex');
}

test('whenever power is cut while snapshots are removed, all that are listed are whole, and it can be run again', async () => {
  const disk = join(root, 'disk');
  const [first, second, third] = (await saveThree(disk)) as [string, string, string];
  const [stays, goes] = [[third], [first, second]];
  const model = new Disk(disk);
  const [directory, state] = [join(disk, 'repository'), join(disk, 'state')];
  const operations = record([process.execPath, child, directory, state, ...goes], disk, root);
  assert.ok(operations.length > 20, `${operations.length} operations`);
  const seen = new Set<string>();
  const counts = new Set<number>();
  for (const [i, operation] of operations.entries()) {
    model.apply(operation);
    for (const survivors of ['synced', 'some', 'everything'] as const) {
      const copy = join(root, 'cut');
      rmSync(copy, { recursive: true, force: true });
      model.materialize(copy, survivors);
      const before = seen.size;
      if (seen.add(stateOf(copy)).size === before) continue;
      const when = `seed ${seed}: ${operation.call}, operation ${i}, ${survivors}`;
      counts.add(await checkAfterCut(copy, stays, goes, when));
    }
  }
  assert.equal([...counts].sort(), [1, 2, 3], 'cuts before, between and after the removals');
});

test.run();
