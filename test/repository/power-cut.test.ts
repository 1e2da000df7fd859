import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRecipient, generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import { openOrCreateRepository, openRepository } from '../../src/repository/open.ts';
import { Disk } from '../support/power-cut/disk.ts';
import { record } from '../support/power-cut/record.ts';
import { seed } from '../support/random.ts';
import { quietContext, saveDirectories } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const child = join(import.meta.dirname, '..', 'support', 'save-child.ts');
const files = join(root, 'files');
mkdirSync(files);

function change(content: string): void {
  for (let i = 0; i < 20; i++) writeFileSync(join(files, `file-${i}`), `${content} ${i}`.repeat(50));
}

/**
 * Records a backup on top of an older one, cuts the power after each of its operations, and checks that the older one
 * is whole, that a new one is whole if it is there at all, and that the next backup works.
 */
async function cutEverywhere(name: string, keys: readonly Identity[]): Promise<void> {
  const disk = join(root, name);
  const [directory, state] = [join(disk, 'repository'), join(disk, 'state')];
  mkdirSync(disk);
  change('old');
  const repository = await openOrCreateRepository(directory, quietContext(state));
  const old = await saveDirectories(repository, { files }, quietContext(state), keys);
  await repository.close();
  mkdirSync(state, { recursive: true });
  const model = new Disk(disk);
  change('new');
  const operations = record(
    [process.execPath, child, directory, files, state, ...keys.map(encodeRecipient)],
    disk,
    root,
  );
  assert.ok(operations.length > 40, `${operations.length} operations`);
  const seen = new Set<string>();
  let committed = 0;
  for (const [i, operation] of operations.entries()) {
    model.apply(operation);
    for (const survivors of ['synced', 'names', 'some', 'everything'] as const) {
      const copy = join(root, `${name}-cut`);
      rmSync(copy, { recursive: true, force: true });
      model.materialize(copy, survivors);
      if (!isNew(copy, seen)) continue;
      committed += await checkAfterCut(
        copy,
        old.id,
        keys,
        survivors === 'synced' || survivors === 'some',
        `seed ${seed}: ${operation.call}, operation ${i}, ${survivors}`,
      );
    }
  }
  const end = join(root, `${name}-end`);
  model.materialize(end, 'synced');
  assert.is(await checkAfterCut(end, old.id, keys, false, 'at the end'), 1, 'what is committed is there');
  assert.ok(
    committed > 0 && committed < seen.size,
    `${committed} of ${seen.size} states had the new snapshot`,
  );
}

/** How many snapshots besides the old one are there. */
async function checkAfterCut(
  copy: string,
  old: string,
  keys: readonly Identity[],
  runAgain: boolean,
  when: string,
): Promise<number> {
  const context = quietContext(join(copy, 'state'));
  const repository = await openRepository(join(copy, 'repository'), context, { identities: keys });
  try {
    const { damage } = await repository.verify({ readData: true }, context);
    assert.equal(damage, [], when);
    const before = await repository.snapshots();
    assert.ok(
      before.some(({ id }) => id === old),
      `${when}: the old snapshot is gone`,
    );
    if (!runAgain) return before.length - 1;
    const next = await saveDirectories(repository, { files }, context, keys);
    const after = await repository.snapshots();
    assert.is(after.length, before.length + 1, when);
    assert.ok(next.complete, when);
    assert.equal(readdirSync(join(copy, 'repository', 'tmp')), [], when);
    assert.equal((await repository.verify({}, context)).damage, [], `${when}, after the next run`);
    return before.length - 1;
  } finally {
    await repository.close();
  }
}

/** Most operations change nothing that survives: each state is checked once. */
function isNew(directory: string, seen: Set<string>): boolean {
  const hash = createHash('sha256');
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\0`);
    if (entry.isFile()) hash.update(readFileSync(path)).update('\0');
  }
  const state = hash.digest('hex');
  if (seen.has(state)) return false;
  seen.add(state);
  return true;
}

test('whenever power is cut during a backup, older snapshots are whole and the next run needs no hand', async () => {
  await cutEverywhere('plain', []);
});

test('encrypted ones too', async () => {
  await cutEverywhere('sealed', [generateIdentity()]);
});

test.run();
