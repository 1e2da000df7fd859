import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordDamage } from '../../../src/repository/verify/damage-record.ts';
import { FailedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { withRepository } from '../../support/with-repository.ts';
import { makeRepository } from '../carry/exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));

test('no run builds on what a check may have found damaged, when what it found cannot be read; lists are shown', async () => {
  const { directory } = await makeRepository(root, context);
  const all = new Set([`sha256:${'a'.repeat(64)}` as const]);
  await recordDamage(context.stateDir, directory, { all, inside: new Set() });
  const [name = ''] = readdirSync(join(context.stateDir, 'damage'));
  const record = join(context.stateDir, 'damage', name);
  rmSync(record);
  symlinkSync(record, record);
  await withRepository(directory, context, async (repository) => {
    const error = await rejects(() => saveDirectories(repository, { root }, context), FailedError);
    assert.match(error.message, `reading ${record}: ELOOP: `);
    assert.is((await repository.snapshots()).length, 1);
  });
  rmSync(record);
  await withRepository(directory, context, async (repository) => {
    await saveDirectories(repository, { verify: join(root, 'state') }, context);
  });
});

test.run();
