import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { freeNow } from '../../src/support/free-now.ts';

test('a buffer that has its memory to itself is empty afterwards', () => {
  for (const size of [1, 65_536, 1024 * 1024]) {
    const buffer = Buffer.alloc(size);
    freeNow(buffer);
    assert.is(buffer.length, 0);
  }
});

test('the used part of a large output buffer takes all of its memory along', () => {
  const whole = Buffer.alloc(1024 * 1024);
  freeNow(whole.subarray(0, 10));
  assert.is(whole.length, 0);
});

test('what shares the common pool with others is left alone', () => {
  const neighbour = Buffer.from('neighbour');
  const pooled = Buffer.from('pooled');
  freeNow(pooled);
  assert.is(pooled.toString(), 'pooled');
  assert.is(neighbour.toString(), 'neighbour');
});

test.run();
