import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openRepository } from '../../../src/repository/open.ts';
import type { VerifyReport } from '../../../src/repository/repository.ts';
import { silent } from '../../../src/support/progress.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { withRepository } from '../../support/with-repository.ts';
import { makeRepository } from '../carry/exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const saveChild = join(import.meta.dirname, '..', '..', 'support', 'save-child.ts');

/** Verifies a repository into which somebody else backs up as soon as the first bytes were read. */
async function verifyWhile(directory: string, files: string): Promise<VerifyReport> {
  let begun = false;
  const advance = () => {
    if (begun) return;
    begun = true;
    const saving = spawnSync(process.execPath, [saveChild, directory, files, context.stateDir]);
    assert.is(saving.status, 0, String(saving.stderr));
  };
  const progress = { ...silent, begin: () => ({ advance, setTotal() {}, end() {} }) };
  return withRepository(directory, context, (repository) =>
    repository.verify({ readData: true }, { ...context, progress }),
  );
}

function someFiles(): string {
  const files = join(root, 'files');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, 'one'), 'that is not there yet');
  return files;
}

test('a backup that is committed while the repository is verified is no damage', async () => {
  const { directory } = await makeRepository(root, context);
  const { damage } = await verifyWhile(directory, someFiles());
  assert.equal(damage, []);
  const repository = await openRepository(directory, context);
  assert.is((await repository.snapshots()).length, 2);
  await repository.close();
});

test('an index.json that is lost while a backup is committed is written by that, and is no damage either', async () => {
  const { directory } = await makeRepository(root, context);
  rmSync(join(directory, 'index.json'));
  const { damage } = await verifyWhile(directory, someFiles());
  assert.equal(damage, []);
});

test.run();
