import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openRepository } from '../../../src/repository/open.ts';
import { recoverStaging } from '../../../src/repository/run/recover-staging.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { makeSmallRepository } from '../torture/small-repository.ts';

/** A repository of which a manifest is lost, and what its index said before and after another backup. */
async function withLostManifest() {
  const root = temporaryDirectory();
  const { directory, files, snapshots } = await makeSmallRepository(root, []);
  const lost = files.find(({ kind, neededBy }) => kind === 'manifest' && neededBy[0] === snapshots[0]!.id);
  unlinkSync(join(directory, lost!.path));
  const index = join(directory, 'index.json');
  const before = readFileSync(index, 'utf8');
  const context = quietContext(join(root, 'state'));
  const repository = await openRepository(directory, context);
  const run = await repository.beginRun({ host: 'here', deployment: 'test', release: '2.0' }, context);
  await run.commit();
  await repository.close();
  const after = readFileSync(index, 'utf8');
  assert.not.equal(before, after);
  writeFileSync(index, before);
  writeFileSync(join(directory, 'tmp', 'index.json'), after);
  const recover = async () => {
    await recoverStaging({ directory, recipients: [], identities: [], cache: undefined });
    return readFileSync(index, 'utf8');
  };
  return { directory, recover, before, after };
}

test('a commit that was cut short is finished, also where the manifest of another snapshot is lost', async () => {
  const { recover, after } = await withLostManifest();
  assert.is(await recover(), after);
});

test('one whose own manifest had not come is not', async () => {
  const { directory, recover, before, after } = await withLostManifest();
  const [added] = JSON.parse(after).manifests.filter(
    ({ digest }: { digest: string }) => !before.includes(digest),
  );
  unlinkSync(join(directory, 'blobs/sha256', added.digest.slice('sha256:'.length)));
  assert.is(await recover(), before);
});

test('a removal that was cut short is finished once what it removes is gone', async () => {
  const { directory, recover, before, after } = await withLostManifest();
  const { manifests, ...rest } = JSON.parse(before);
  const fewer = JSON.stringify({ ...rest, manifests: manifests.slice(0, 1) });
  assert.not.equal(after, fewer);
  writeFileSync(join(directory, 'tmp', 'index.json'), fewer);
  assert.is(await recover(), before);
  unlinkSync(join(directory, 'blobs/sha256', manifests[1].digest.slice('sha256:'.length)));
  writeFileSync(join(directory, 'tmp', 'index.json'), fewer);
  assert.is(await recover(), fewer);
});

test.run();
