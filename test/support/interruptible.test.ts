import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interruptible } from '../../src/support/interruptible.ts';
import { failure } from './rejects.ts';

async function* numbers(): AsyncGenerator<number> {
  for (let number = 1; ; number++) yield number;
}

test('items come as they are until the signal is aborted, whose reason ends them', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const seen: number[] = [];
  const error = await failure(
    (async () => {
      for await (const number of interruptible(numbers(), controller.signal)) {
        seen.push(number);
        if (number === 3) controller.abort(reason);
      }
    })(),
  );
  assert.is(error, reason);
  assert.equal(seen, [1, 2, 3]);
});

test.run();
