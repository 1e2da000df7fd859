/** Removing from a repository that others may add to: with other keys, or with lies. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { blobPath } from '../../../src/oci/layout.ts';
import { publishBlob, stageBlob } from '../../../src/oci/layout-blobs.ts';
import { encodeRecipient, generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import { readMetadata, stageMetadata } from '../../../src/repository/blobs/metadata.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import { decodeIndex, encodeIndexHeader, encodePackLine } from '../../../src/repository/packs/index-lines.ts';
import type { RemovalReport } from '../../../src/repository/repository.ts';
import type { Store } from '../../../src/repository/seal/store.ts';
import { loadCatalog } from '../../../src/repository/snapshot/catalog.ts';
import { encodeConfig } from '../../../src/repository/snapshot/config.ts';
import { encodeManifest } from '../../../src/repository/snapshot/manifest.ts';
import { publishSnapshot } from '../../../src/repository/snapshot/publish.ts';
import { shortId } from '../../../src/repository/snapshot/short-id.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import type { StoredSnapshot } from '../../../src/repository/snapshot/stored.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const warnings: string[] = [];
const quiet = quietContext(join(root, 'state'));
const context = {
  ...quiet,
  progress: { ...quiet.progress, warn: (text: string) => void warnings.push(text) },
};

/** A repository, and files that are saved into it: one stays what it is, another is new each time. */
function begin() {
  const home = mkdtempSync(join(root, 'shared-'));
  const [files, directory] = [join(home, 'files'), join(home, 'repository')];
  mkdirSync(files);
  writeFileSync(join(files, 'stays'), randomBytes(100_000));
  const store: Store = { directory, recipients: [], identities: [], cache: undefined };

  async function save(...recipients: Identity[]): Promise<Snapshot> {
    writeFileSync(join(files, 'own'), randomBytes(300_000));
    const repository = await openOrCreateRepository(directory, context);
    const snapshot = await saveDirectories(repository, { files }, context, recipients);
    await repository.close();
    return snapshot;
  }

  async function remove(snapshots: Snapshot[], identities: Identity[] = []): Promise<RemovalReport> {
    const repository = await openRepository(directory, context, { identities });
    const report = await repository.remove(
      snapshots.map(({ id }) => id),
      context,
    );
    await repository.close();
    return report;
  }

  async function requireWhole(snapshot: Snapshot, identities: Identity[] = []): Promise<void> {
    const repository = await openRepository(directory, context, { identities });
    for await (const entry of repository.entries(await repository.find(snapshot.id), 'files')) {
      if (entry.type !== 'file') continue;
      const content = Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
      if (entry.path === 'stays') assert.equal(content, readFileSync(join(files, 'stays')));
    }
    await repository.close();
  }

  const stored = async () => (await loadCatalog(store)).stored;
  return { store, save, remove, requireWhole, stored };
}

/**
 * A snapshot of long ago by somebody who knows the digests of a good one: its index says of the same packs that next to
 * nothing of what is in them is.
 */
async function forge(store: Store, good: StoredSnapshot): Promise<void> {
  const { packs, indexes } = good.parts;
  const told = decodeIndex(await readMetadata(store, indexes[0]!), 'the index');
  const lines = told.packs.map(({ pack, size, frames: [first, ...others] }) => {
    const lies = Array(7).fill({ length: 0, sizes: [7_000_000], chunks: 'f'.repeat(64) });
    return encodePackLine({ pack, size, frames: others.length > 0 ? [first!, ...lies] : lies });
  });
  const index = await stageMetadata(
    store,
    Buffer.from([encodeIndexHeader(told.header), ...lines, ''].join('\n')),
  );
  await publishBlob(store, index);
  await publishLike(store, good, { host: 'elsewhere' }, { indexes: [{ ...index, packs }], notes: undefined });
}

/** Publishes a snapshot of long ago that is a good one but for what somebody tells of it, and of its parts. */
async function publishLike(
  store: Store,
  good: StoredSnapshot,
  told: Partial<Snapshot>,
  parts: Partial<StoredSnapshot['parts']> = {},
): Promise<void> {
  const { repository } = good;
  const longAgo = new Date(0);
  const snapshot = { ...good.snapshot, started: longAgo, ended: longAgo, ...told };
  const trees = new Map([...good.trees].map(([name, refs]) => [name, refs.map(({ digest }) => digest)]));
  const config = await stageBlob(store, encodeConfig({ repository, snapshot, trees, notes: undefined }));
  await publishBlob(store, config);
  const isSealed = snapshot.recipients.length > 0;
  const manifest = await stageBlob(store, encodeManifest({ ...good.parts, ...parts, config }, isSealed));
  const { stored } = await loadCatalog(store);
  await publishSnapshot(store, stored, { ...snapshot, id: config.digest }, manifest);
}

test('an index that says of a pack that nothing in it is needed takes nothing from those who need it', async () => {
  const { store, save, remove, requireWhole, stored } = begin();
  const [first, second] = [await save(), await save()];
  await forge(store, (await stored()).find(({ snapshot }) => snapshot.id === first.id)!);
  await remove([second]);
  await requireWhole(first);
  const ids = (await stored()).map(({ snapshot }) => shortId(snapshot.id)).join(', ');
  assert.match(warnings.join('\n'), `one of the snapshots ${ids} says of a pack `);
});

test('packs whose key is at hand are written anew, and those of other keys stay what they are', async () => {
  const { save, remove, requireWhole } = begin();
  const [before, now] = [generateIdentity(), generateIdentity()];
  const [first, second] = [await save(before), await save(before)];
  const [third, fourth] = [await save(now), await save(now)];
  const report = await remove([first, third], [now]);
  assert.is(report.rewritten.packs, 1);
  await requireWhole(second, [before]);
  await requireWhole(fourth, [now]);
});

test('nobody comes to open a pack by naming it in a snapshot of his own', async () => {
  const { save, remove, requireWhole, stored, store } = begin();
  const [owner, intruder] = [generateIdentity(), generateIdentity()];
  const [first, second] = [await save(owner), await save(owner)];
  const [, good] = await stored();
  await publishLike(store, good!, { recipients: [encodeRecipient(owner), encodeRecipient(intruder)] });
  const before = readdirSync(join(store.directory, 'blobs', 'sha256'));
  assert.is((await remove([first], [owner])).rewritten.packs, 0);
  await requireWhole(second, [owner]);
  const after = readdirSync(join(store.directory, 'blobs', 'sha256'));
  assert.equal(
    after.filter((name) => !before.includes(name)),
    [],
  );
});

test('no pack is written anew for a rebuilt snapshot alone: it may name too few of those who open it', async () => {
  const { save, remove, stored, store } = begin();
  const [named, forgotten] = [generateIdentity(), generateIdentity()];
  const [first, second] = [await save(named, forgotten), await save(named, forgotten)];
  const [, good] = await stored();
  await publishLike(store, good!, { rebuilt: true, recipients: [encodeRecipient(named)] });
  assert.is((await remove([first, second], [named])).rewritten.packs, 0);
});

test('a pack that cannot be written anew is told of, and the snapshots go all the same', async () => {
  const { save, remove, stored, store } = begin();
  const [first, second] = [await save(), await save()];
  const [{ parts }] = (await stored()) as [StoredSnapshot];
  const pack = blobPath(store, parts.packs[0]!.digest);
  writeFileSync(pack, Buffer.alloc(readFileSync(pack).length));
  const report = await remove([first]);
  assert.equal([report.snapshots, report.rewritten.packs], [[first.id], 0]);
  assert.match(warnings.at(-1) ?? '', /^packs that are mostly unused were left as they are: /);
  const left = (await stored()).map(({ snapshot }) => snapshot.id);
  assert.equal(left, [second.id]);
});

test.run();
