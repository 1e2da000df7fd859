import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareSnapshots, type UncomparedPart } from '../../../src/backup/browse/compare-snapshots.ts';
import { generateIdentity } from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { isWithin } from '../../../src/repository/tree/path-range.ts';
import { makeSmallRepository } from '../../repository/torture/small-repository.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const golden = await makeSmallRepository(root, []);
const [first, second] = golden.snapshots as [Snapshot, Snapshot];

interface Compared {
  /** `change source:path`. */
  told: string[];
  gaps: UncomparedPart[];
}

async function compare(directory: string, before: Snapshot, after: Snapshot): Promise<Compared> {
  const repository = await openRepository(directory, context);
  const gaps: UncomparedPart[] = [];
  const told: string[] = [];
  for await (const { source, path, change } of compareSnapshots(repository, before, after, (gap) =>
    gaps.push(gap),
  ))
    told.push(`${change} ${source.name}:${path}`);
  await repository.close();
  return { told, gaps };
}

function mayHide({ gaps }: Compared, difference: string): boolean {
  const [, source, path] = /^\w+ (\w+):(.*)$/.exec(difference)!;
  return gaps.some((gap) => gap.source.name === source && isWithin(path!, gap));
}

for (const [name, before, after] of [
  ['forwards', first, second],
  ['backwards', second, first],
] as const) {
  test(`${name}: whichever part of a tree is lost, the rest is compared, and nothing is told that is not so`, async () => {
    const whole = await compare(golden.directory, before, after);
    assert.equal(whole.gaps, []);
    assert.ok(whole.told.length >= 2, `${whole.told}`);
    const trees = golden.files.filter(({ kind }) => kind === 'tree');
    for (const { path, neededBy } of trees) {
      const directory = join(root, 'copy');
      rmSync(directory, { recursive: true, force: true });
      cpSync(golden.directory, directory, { recursive: true });
      rmSync(join(directory, path));
      const compared = await compare(directory, before, after);
      assert.is(compared.gaps.length, neededBy.length);
      for (const difference of compared.told) assert.ok(whole.told.includes(difference), difference);
      const missed = whole.told.filter((difference) => !compared.told.includes(difference));
      for (const difference of missed) assert.ok(mayHide(compared, difference), difference);
    }
    assert.ok(trees.length >= 4);
  });
}

test('the same bytes cut at other places, as after a change of recipients, are no other content', async () => {
  const files = join(root, 'recut');
  mkdirSync(files);
  const bytes = randomBytes(6_000_000);
  for (const name of ['same', 'changed', 'touched']) writeFileSync(join(files, name), bytes);
  const identity = generateIdentity();
  const options = { identities: [identity] };
  const repository = await openOrCreateRepository(join(root, 'recipients'), context, options);
  const plain = await saveDirectories(repository, { files }, context);
  bytes[5_999_000]! ^= 1;
  const { atime, mtime } = statSync(join(files, 'changed'));
  writeFileSync(join(files, 'changed'), bytes);
  utimesSync(join(files, 'changed'), atime, mtime);
  chmodSync(join(files, 'touched'), 0o600);
  const sealed = await saveDirectories(repository, { files }, context, [identity]);
  await repository.close();
  const told: string[] = [];
  const again = await openRepository(join(root, 'recipients'), context, options);
  for await (const { path, change } of compareSnapshots(again, plain, sealed, () => assert.unreachable()))
    told.push(`${change} ${path}`);
  const stop = AbortSignal.abort(new Error('asked to end'));
  const asked = compareSnapshots(again, plain, sealed, () => assert.unreachable(), stop);
  assert.is((await rejects(() => asked.next(), Error)).message, 'asked to end');
  await again.close();
  assert.equal(told, ['content changed', 'attributes touched']);
});

test.run();
