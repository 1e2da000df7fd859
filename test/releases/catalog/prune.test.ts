import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { releasesToPrune } from '../../../src/releases/catalog/prune.ts';

const loadedInOrder = (...releases: string[]) =>
  releases.map((release) => ({ release, loaded: '2026-11-23T00:00:00.000Z', images: [] }));

test('the releases with the newest labels stay, whatever was loaded when', () => {
  const known = loadedInOrder('7.2', '7.10', '7.9', '7.10.1');
  assert.equal(releasesToPrune(known, 2), ['7.2', '7.9']);
  assert.equal(releasesToPrune(known, 4), []);
  assert.equal(releasesToPrune([], 1), []);
});

test('the release that was loaded last stays too, however old its label is', () => {
  assert.equal(releasesToPrune(loadedInOrder('7.9', '7.10', '7.2'), 1), ['7.9']);
});

test.run();
