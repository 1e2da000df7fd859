import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareReleases, isOlderRelease } from '../../../src/releases/catalog/release-order.ts';

test('releases are ordered as people read them', () => {
  const sorted = [
    '1.4-alpha',
    '1.4~beta',
    '1.4-rc1',
    '1.4-rc2',
    '1.4-rc10',
    '1.4',
    '1.4-hotfix',
    '1.4.1',
    '1.9',
    '1.10',
    '2',
    '6.1',
    '2014.2.2-6.1',
    '2014.2.2-7.0',
  ];
  for (const [i, a] of sorted.entries()) {
    for (const [j, b] of sorted.entries()) {
      assert.is(Math.sign(compareReleases(a, b)), Math.sign(i - j), `${a} and ${b}`);
    }
  }
});

test('labels that mean the same are not older than each other', () => {
  for (const [a, b] of [
    ['1.4', '1.4'],
    ['v1.4', '1.4'],
    ['1.04', '1.4'],
    ['1.4', '1-4'],
    ['Final', 'final'],
  ] as const) {
    assert.is(isOlderRelease(a, b), false);
    assert.is(isOlderRelease(b, a), false);
  }
});

test.run();
