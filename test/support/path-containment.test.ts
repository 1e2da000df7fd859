import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isAtOrIn, isInside, overlap } from '../../src/support/path-containment.ts';

test('a path lies in a directory by its whole names, not by their beginnings', () => {
  assert.ok(isInside('/srv/shop/a', '/srv/shop'));
  assert.ok(isInside('/srv', '/'));
  assert.ok(isInside('a', '.'));
  assert.not(isInside('/srv/shopping', '/srv/shop'));
  assert.not(isInside('/srv/shop', '/srv/shop'));
  assert.ok(isAtOrIn('/srv/shop', '/srv/shop'));
});

test('two paths overlap when one of them holds the other', () => {
  assert.ok(overlap('/srv', '/srv/shop') && overlap('/srv/shop', '/srv') && overlap('/srv', '/srv'));
  assert.not(overlap('/srv/a', '/srv/b'));
});

test.run();
