import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareSnapshots, type UncomparedPart } from '../../../src/backup/browse/compare-snapshots.ts';
import { openRepository } from '../../../src/repository/open.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { isWithin } from '../../../src/repository/tree/path-range.ts';
import { makeSmallRepository } from '../../repository/torture/small-repository.ts';
import { quietContext } from '../../support/save-directory.ts';
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

test.run();
