import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import { inOrderOfMaking } from '../../../src/repository/snapshot/order.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const made = (id: string, day: number, predecessor?: string) => ({
  snapshot: { id, started: new Date(Date.UTC(2027, 2, day)), predecessor },
});
const idsOf = (all: readonly ReturnType<typeof made>[]) =>
  inOrderOfMaking(all).map(({ snapshot }) => snapshot.id);

test('snapshots are told in the order of their dates, while these and what they were compared with agree', () => {
  assert.equal(idsOf([made('c', 3, 'b'), made('a', 1), made('b', 2, 'a')]), ['a', 'b', 'c']);
  assert.equal(idsOf([made('b', 2, 'gone'), made('a', 1, 'gone too')]), ['a', 'b']);
});

test('one that was compared with a snapshot of a later date was made after it', () => {
  const ahead = made('ahead', 21, 'a');
  assert.equal(idsOf([made('a', 18), made('b', 19, 'ahead'), ahead]), ['a', 'ahead', 'b']);
  const nights = [made('c', 20, 'b'), made('d', 22, 'c'), made('b', 19, 'ahead'), made('a', 18), ahead];
  assert.equal(idsOf(nights), ['a', 'ahead', 'b', 'c', 'd']);
  assert.equal(idsOf([made('c', 20, 'ahead'), made('b', 19, 'ahead'), ahead]), ['ahead', 'b', 'c']);
});

test('thousands of snapshots, each compared with the one before, are no trouble', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => made(String(i), 20_000 - i, String(i - 1)));
  assert.equal(
    idsOf(many.toReversed()),
    many.map(({ snapshot }) => snapshot.id),
  );
});

test('after a night whose clock was ahead, latest is the last one that was made', async () => {
  const root = temporaryDirectory();
  const data = join(root, 'data');
  mkdirSync(data);
  const save = async (day: number) => {
    writeFileSync(join(data, 'day'), String(day));
    const now = () => new Date(Date.UTC(2027, 2, day, 2));
    const context = { ...quietContext(join(root, 'state')), now };
    const repository = await openOrCreateRepository(join(root, 'repository'), context);
    try {
      const { id } = await saveDirectories(repository, { data }, context);
      assert.is((await repository.find('latest')).id, id, `of day ${day}`);
      return id;
    } finally {
      await repository.close();
    }
  };
  for (const day of [18, 21, 19, 20, 22]) await save(day);
});

test.run();
