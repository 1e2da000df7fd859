import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openCatalog, type ReleaseRecord } from '../../../src/releases/catalog/catalog.ts';
import { DamagedError, NotFoundError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('releases come in the order of their loading, and are found by name', async () => {
  const catalog = openCatalog(temporaryDirectory());
  assert.equal(await catalog.releases(), []);
  for (const record of [release('b', 2), release('a', 3), release('c', 1)]) await catalog.record(record);
  assert.equal(await catalog.releases(), [release('c', 1), release('b', 2), release('a', 3)]);
  assert.equal(await catalog.find('a'), release('a', 3));
  await catalog.forget('a');
  await catalog.forget('a');
  const { advice } = await rejects(() => catalog.find('a'), NotFoundError);
  assert.is(advice, 'There are: c, b');
});

for (const [what, damage] of [
  ['cut', '{"schema": 1, "release": "b'],
  ['empty', ''],
  ['of a schema to come', '{"schema": 2, "release": "b", "loaded": "", "images": []}'],
  ['no record', 'null'],
  ['a record of nothing', '{"schema": 1}'],
] as const) {
  test(`a file that is ${what} hides its release only, until that is recorded again`, async () => {
    const stateDir = temporaryDirectory();
    const problems: string[] = [];
    const catalog = openCatalog(stateDir, (problem) => problems.push(problem));
    await catalog.record(release('a', 1));
    const path = join(stateDir, 'catalog', 'b.json');
    writeFileSync(path, damage);
    assert.equal(await catalog.releases(), [release('a', 1)]);
    assert.is(problems.length, 1);
    assert.ok(problems[0]?.includes(path) && problems[0].endsWith('unknown until it is loaded again'));
    assert.equal(await catalog.find('a'), release('a', 1));
    await rejects(() => catalog.find('b'), DamagedError);
    await catalog.record(release('b', 2));
    assert.equal(await catalog.releases(), [release('a', 1), release('b', 2)]);
    assert.is(problems.length, 1);
  });
}

test('whoever removes is not told less than there is', async () => {
  const stateDir = temporaryDirectory();
  const catalog = openCatalog(stateDir);
  await catalog.record(release('a', 1));
  writeFileSync(join(stateDir, 'catalog', 'b.json'), '');
  await rejects(() => catalog.releases(), DamagedError);
});

function release(name: string, day: number): ReleaseRecord {
  return { release: name, loaded: `2026-11-0${day}T00:00:00.000Z`, images: [] };
}

test.run();
