import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FailingCalls } from '../../support/failing-calls/failing-calls.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const forgetEverything = `
  import { PlainCache } from '${join(import.meta.dirname, '../../../src/repository/seal/plain-cache.ts')}';
  import { messageOf } from '${join(import.meta.dirname, '../../../src/support/errors.ts')}';
  const [stateDir] = process.argv.slice(1);
  await new PlainCache(stateDir, 'one').keepOnly(new Set(), '/nowhere').catch((error) => console.log(messageOf(error)));
`;

test('why the cache cannot be made is told as it is: a used-up quota is no missing directory', () => {
  const root = temporaryDirectory();
  const state = join(root, 'state');
  mkdirSync(state);
  const calls = new FailingCalls(root);
  for (const [error, meaning] of [
    ['EDQUOT', /^EDQUOT: disk quota exceeded/],
    ['EIO', /^EIO: i\/o error/],
    ['EROFS', /^EROFS: read-only file system/],
  ] as const) {
    const failure = { below: state, at: 1, error, lasting: true, on: 'changes' } as const;
    const env = { ...process.env, ...calls.environment(failure) };
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', forgetEverything, state], {
      env,
    });
    assert.match(said.toString(), meaning);
  }
});

test.run();
