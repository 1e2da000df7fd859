/** A repository whose disk is pulled while it is written. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository, openRepository } from '../../src/repository/open.ts';
import { FailedError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { quietContext, saveDirectories } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const files = join(root, 'files');
mkdirSync(files);
writeFileSync(join(files, 'random'), randomBytes(100_000));

test('what is gone in the middle of a run is asked for, not made anew, and is whole when it is back', async () => {
  const directory = join(root, 'repository');
  const repository = await openOrCreateRepository(directory, context);
  const { id } = await saveDirectories(repository, { files }, context);
  const run = await repository.beginRun({ host: 'host', deployment: 'shop', release: undefined }, context);
  renameSync(directory, join(root, 'pulled'));
  const error = await rejects(() => run.commit(), FailedError);
  assert.match(error.message, 'ENOENT');
  assert.is(error.advice, 'See whether its disk is still mounted, or name another directory');
  await repository.close();
  assert.not.ok(existsSync(directory));

  renameSync(join(root, 'pulled'), directory);
  const again = await openRepository(directory, context);
  const next = await saveDirectories(again, { files }, context);
  assert.equal(
    (await again.snapshots()).map((snapshot) => snapshot.id),
    [id, next.id],
  );
  assert.equal((await again.verify({ readData: true }, context)).damage, []);
  await again.close();
});

test.run();
