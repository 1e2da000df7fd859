import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sealings } from '../repository/sealings.ts';
import { seed } from '../support/random.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { failCalls } from './torture/failing-disk.ts';

const root = temporaryDirectory();

/** `npm run torture -- errors` does it at greater length. */
for (const [name, keys] of sealings) {
  test(`whatever call to a disk fails, what is there stays whole, the message says so, and the next run needs no hand: ${name}`, async () => {
    const home = join(root, name);
    mkdirSync(home);
    const counts = await failCalls({ home, keys, failures: 3, seed });
    const ended = Object.values(counts).flatMap((each) => Object.values(each));
    assert.is(
      ended.reduce((sum, count) => sum + count, 0),
      3,
    );
  });
}

test.run();
