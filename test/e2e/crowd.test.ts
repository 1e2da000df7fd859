import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sealings } from '../repository/sealings.ts';
import { seed } from '../support/random.ts';
import { standInForSsh } from '../support/ssh-stand-in.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { crowdRepository } from './torture/crowd.ts';

const root = temporaryDirectory();
standInForSsh(root);

/** `npm run torture -- crowd` does it at greater length. */
for (const [name, keys] of sealings) {
  test(`commands on one ${name} repository at the same time do their work or say who is in their way, and lose nothing`, async () => {
    const home = join(root, name);
    mkdirSync(home);
    const counts = Object.values(await crowdRepository({ home, keys, rounds: 3, seed }));
    assert.ok(counts.reduce((sum, { done }) => sum + done, 0) > 4);
  });
}

test.run();
