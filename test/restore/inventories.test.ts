import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { newcomers, savedInventories } from '../../src/restore/inventories.ts';
import { entry, MemoryRepository, sorted } from './memory-repository.ts';

const inventory = {
  name: 'nodes',
  service: undefined,
  command: [],
  key: 'id',
  label: 'name',
  advice: 'reset it',
};
const taken = (...items: Record<string, unknown>[]) => ({ inventory: 'nodes', items });

test('what is there now and was not in the backup is told, once, by its label', () => {
  const saved = [taken({ id: 1, name: 'one' }, { id: '2', name: 'two' })];
  const before = taken({ id: 1, name: 'renamed' }, { id: 3, name: 'three' }, { id: 2, name: 'a number' });
  const after = taken({ id: 3, name: 'three' }, { id: 4 });
  assert.equal(newcomers(saved, [before, after], [inventory]), [
    { inventory: 'nodes', labels: ['three', 'a number', '4'], advice: 'reset it' },
  ]);
});

test('nothing is told when nothing came, or when the backup has no such inventory', () => {
  assert.equal(newcomers([taken({ id: 1 })], [taken({ id: 1 })], [inventory]), []);
  assert.equal(newcomers([], [taken({ id: 1 })], [inventory]), []);
  assert.equal(newcomers([taken()], [], [inventory]), []);
});

test('inventories are read from the snapshot, and only from where they are', async () => {
  const memory = new MemoryRepository();
  const entries = sorted([
    memory.file('deployment.yaml', 'name: x'),
    entry('directory', 'inventories'),
    memory.file('inventories/nodes.json', '[{"id":1}]'),
  ]);
  const repository = memory.take([
    { name: 'deployment', kind: 'deployment', entries },
    { name: 'files', entries: [entry('directory', 'inventories'), memory.file('inventories/x.json', '[]')] },
  ]);
  const saved = await savedInventories(repository, await repository.find('latest'));
  assert.equal(saved, [{ inventory: 'nodes', items: [{ id: 1 }] }]);
});

test.run();
