import { setImmediate } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mapAFew } from '../../src/support/map-a-few.ts';
import { rejects } from './rejects.ts';

test('results stand in the order of what they are of, and no more than a few are worked on at a time', async () => {
  let now = 0;
  let most = 0;
  const doubled = await mapAFew([3, 1, 2, 0, 5], 2, async (one) => {
    most = Math.max(most, ++now);
    for (let turn = 0; turn < one; turn++) await setImmediate();
    now--;
    return one * 2;
  });
  assert.equal(doubled, [6, 2, 4, 0, 10]);
  assert.is(most, 2);
});

test('nothing gives nothing, and a failure is passed on', async () => {
  assert.equal(await mapAFew([], 3, async () => 1), []);
  await rejects(() => mapAFew([1, 2], 3, () => Promise.reject(new RangeError('no'))), RangeError);
});

test.run();
