/** Content that was spoilt in memory before it was packed: every digest of the repository is right. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Digest } from '../../../src/oci/digest.ts';
import { publishBlob, readBlob, stageBlob } from '../../../src/oci/layout-blobs.ts';
import { readMetadata, stageMetadata } from '../../../src/repository/blobs/metadata.ts';
import type { Store } from '../../../src/repository/seal/store.ts';
import { loadCatalog } from '../../../src/repository/snapshot/catalog.ts';
import { encodeManifest } from '../../../src/repository/snapshot/manifest.ts';
import { publishSnapshot } from '../../../src/repository/snapshot/publish.ts';
import { packsOf } from '../../../src/repository/snapshot/stored.ts';
import { recordDamage } from '../../../src/repository/verify/damage-record.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { withRepository } from '../../support/with-repository.ts';
import { makeRepository } from '../carry/exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));

/** A repository of one snapshot, with a bit of its only pack turned round; and the directory that was saved. */
async function makeSpoilt(): Promise<{ directory: string; files: string }> {
  const { directory } = await makeRepository(root, context);
  const store: Store = { directory, recipients: [], identities: [], cache: undefined };
  const { snapshot, parts, manifest } = (await loadCatalog(store)).stored[0]!;
  const old = parts.packs[0]!;
  const bytes = await readBlob(store, old.digest, 1 << 20);
  bytes[bytes.length >> 1]! ^= 1; // Random content is stored as it is.
  const pack = { ...(await stageBlob(store, bytes)), source: old.source };
  const told = (await readMetadata(store, parts.indexes[0]!)).toString();
  const index = await stageMetadata(store, Buffer.from(told.replaceAll(old.digest, pack.digest)));
  const trees = parts.trees.map((tree) => ({ ...tree, packs: tree.packs.map(() => pack) }));
  const indexes = [{ ...index, packs: [pack] }];
  const blob = await stageBlob(store, encodeManifest({ ...parts, packs: [pack], indexes, trees }, false));
  for (const each of [pack, index]) await publishBlob(store, each);
  for (const { digest } of [old, parts.indexes[0]!, manifest])
    rmSync(join(directory, 'blobs', 'sha256', digest.slice(7)));
  await publishSnapshot(store, [], snapshot, blob);
  return { directory, files: join(directory, '..', 'files') };
}

const verified = (directory: string, options = {}) =>
  withRepository(directory, context, async (repository) => {
    const { damage } = await repository.verify(options, context);
    const marked = (await repository.snapshots()).map(({ damaged = false }) => damaged);
    return { messages: damage.map(({ message }) => message), marked };
  });

test('damage that only reading the content shows is told until that is read again and found whole', async () => {
  const { directory } = await makeSpoilt();
  assert.equal((await verified(directory)).messages, []);
  const read = await verified(directory, { readData: true });
  assert.match(read.messages.join('\n'), /the chunk \w+ has digest/);
  assert.equal(read.marked, [true]);
  const { messages, marked } = await verified(directory);
  assert.match(messages.join('\n'), /what is in it was found damaged when it was last read/);
  assert.equal(marked, [true]);
});

test('content found damaged is stored anew by the next backup, and repair gives it to older snapshots', async () => {
  const { directory, files } = await makeSpoilt();
  const [older] = await withRepository(directory, context, (repository) => repository.snapshots());
  await verified(directory, { readData: true });
  await verified(directory);
  await withRepository(directory, context, (repository) => saveDirectories(repository, { files }, context));
  const { mended, spoiled, setAside } = await withRepository(directory, context, (one) =>
    one.repair(context),
  );
  assert.equal(
    { mended, spoiled, setAside: setAside.length },
    { mended: [older!.id], spoiled: [], setAside: 1 },
  );
  assert.equal(await verified(directory, { readData: true }), { messages: [], marked: [false, false] });
  await withRepository(directory, context, async (repository) => {
    for await (const entry of repository.entries(older!, 'files')) {
      const content = Buffer.concat(await Array.fromAsync(repository.content(older!, entry)));
      if (entry.type === 'file') assert.ok(content.equals(readFileSync(join(files, entry.path))), entry.path);
    }
  });
});

test('what a check found is told where nothing can be written down of it', async () => {
  const { directory } = await makeSpoilt();
  const noDirectory = join(root, 'a-file');
  writeFileSync(noDirectory, '');
  const warnings: string[] = [];
  const elsewhere = {
    ...quietContext(join(noDirectory, 'state')),
    progress: { ...context.progress, warn: (text: string) => void warnings.push(text) },
  };
  await withRepository(directory, context, async (repository) => {
    const { damage } = await repository.verify({ readData: true }, elsewhere);
    assert.is(damage.length, 1);
  });
  assert.match(warnings.join('\n'), /the next backup will not know what is damaged: writing to .*a-file/);
});

test('what was found is told of packs that are not read again, as long as a snapshot needs them', async () => {
  const { directory, snapshots } = await makeRepository(root, context, { snapshots: 3 });
  const { stored } = await loadCatalog({ directory, recipients: [], identities: [], cache: undefined });
  const [first, ...others] = [...packsOf(stored)];
  const remember = (blobs: Digest[]) =>
    recordDamage(context.stateDir, directory, { all: new Set(blobs), inside: new Set(blobs) });
  const told = async (options = {}) => (await verified(directory, options)).messages.length;
  await remember([first!, ...others]);
  assert.is(await told(), 3);
  assert.is(await told({ readData: true, part: 0.6 }), 1, 'two are read, and whole');
  assert.is(await told({ readData: true }), 0);
  assert.is(await told(), 0);
  await remember(others);
  const ids = snapshots.slice(1).map(({ id }) => id);
  await withRepository(directory, context, (repository) => repository.remove(ids, context));
  assert.is(await told(), 0);
});

test.run();
