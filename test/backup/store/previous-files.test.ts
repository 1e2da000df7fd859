import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PreviousFiles } from '../../../src/backup/store/previous-files.ts';
import type { PreviousFile } from '../../../src/repository/run/run.ts';

async function* segments(...all: string[][]): AsyncGenerator<PreviousFile[]> {
  for (const paths of all) yield paths.map((path) => ({ path, entry: undefined, isPlainly: () => false }));
}

/** Those of `paths` that are in the segments, and how many of the segments' files are none of them. */
async function join(paths: string[], ...all: string[][]): Promise<{ found: string[]; removed: number }> {
  const previous = new PreviousFiles(segments(...all));
  const found: string[] = [];
  for (const path of paths) {
    while (previous.endsBefore(path)) await previous.readOn();
    const file = previous.take(path);
    if (file !== undefined) found.push(file.path);
  }
  await previous.finish();
  return { found, removed: previous.removed };
}

test('what both have is found, what only the snapshot has was removed', async () => {
  const before = [['.', 'a', 'a/b'], ['a/c', 'a b'], [], ['b', 'z']];
  assert.equal(await join(['.', 'a', 'a/b', 'a/c', 'a b', 'b', 'z'], ...before), {
    found: before.flat(),
    removed: 0,
  });
  assert.equal(await join(['.', 'a/b0', 'a b', 'c'], ...before), { found: ['.', 'a b'], removed: 5 });
  assert.equal(await join([], ...before), { found: [], removed: 7 });
  assert.equal(await join(['!', 'zz'], ...before), { found: [], removed: 7 });
  assert.equal(await join(['a']), { found: [], removed: 0 });
});

test.run();
