import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { blobPath } from '../../../src/oci/layout.ts';
import { generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import { readMetadata } from '../../../src/repository/blobs/metadata.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { loadCatalog } from '../../../src/repository/snapshot/catalog.ts';
import { shortId } from '../../../src/repository/snapshot/short-id.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { DamagedError, SignatureError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { flip } from '../../support/flip.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { sealings } from '../sealings.ts';
import { type KnownFile, makeSmallRepository, type SmallRepository } from '../torture/small-repository.ts';
import { opener } from './with-repository.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const withRepository = opener(context);

interface World {
  keys: readonly Identity[];
  golden: SmallRepository;
  directory: string;
  content: Map<string, string[]>;
}

async function prepare(name: string, keys: readonly Identity[]): Promise<World> {
  mkdirSync(join(root, name));
  const golden = await makeSmallRepository(join(root, name), keys);
  const world = { keys, golden, directory: join(root, name, 'copy'), content: new Map() };
  restoreCopy(world);
  await withRepository(world, async (repository) => {
    for (const snapshot of golden.snapshots)
      world.content.set(snapshot.id, await readAll(repository, snapshot));
  });
  return world;
}

function restoreCopy({ golden, directory }: World): void {
  rmSync(directory, { recursive: true, force: true });
  cpSync(golden.directory, directory, { recursive: true });
}

async function readAll(repository: Repository, snapshot: Snapshot): Promise<string[]> {
  const all: string[] = [];
  for (const { name, warnings } of snapshot.sources) {
    all.push(...warnings);
    for await (const entry of repository.entries(snapshot, name)) {
      const content = Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
      all.push(`${name}:${entry.path} ${content.toString('hex')}`);
    }
  }
  return all;
}

/** Everything is there again, as it was. */
async function checkMended(world: World, what: string): Promise<void> {
  await withRepository(world, async (repository) => {
    assert.equal((await repository.verify({ readData: true }, context)).damage, [], what);
    const snapshots = await repository.snapshots();
    assert.equal(snapshots, world.golden.snapshots, what);
    for (const snapshot of snapshots) {
      assert.ok((await repository.signedConfig(snapshot)).signature, `${what}: signed as before`);
      assert.equal(await readAll(repository, snapshot), world.content.get(snapshot.id), what);
    }
  });
}

/** Spoils each file of some kinds in both ways, repairs and checks; the files are whole again before the next. */
async function repairEach(world: World, kinds: readonly KnownFile['kind'][]): Promise<number> {
  const files = world.golden.files.filter(({ kind }) => kinds.includes(kind));
  for (const { path, kind, neededBy } of files) {
    for (const [how, spoil] of [
      ['lost', (file: string) => rmSync(file)],
      ['damaged', flip],
    ] as const) {
      restoreCopy(world);
      spoil(join(world.directory, path));
      const report = await withRepository(world, (repository) => repository.repair(context));
      assert.equal(report.spoiled, [], `${kind} ${how}`);
      assert.equal(report.mended.toSorted(), neededBy.toSorted(), `${kind} ${how}`);
      await checkMended(world, `${kind} ${how}`);
    }
  }
  return files.length;
}

for (const [name, keys] of sealings) {
  const world = await prepare(name, keys);
  test(`${name}: lost and damaged indexes are written anew from the packs`, async () => {
    assert.ok((await repairEach(world, ['index'])) >= 2);
  });

  test(`${name}: so are manifests, from the configs`, async () => {
    assert.is(await repairEach(world, ['manifest']), 2);
  });

  test(`${name}: index.json and oci-layout too`, async () => {
    assert.is(await repairEach(world, ['index.json', 'oci-layout']), 2);
  });

  test(`${name}: without any manifest or index.json, every snapshot whose config is there comes back`, async () => {
    restoreCopy(world);
    const gone = world.golden.files.filter(({ kind }) => kind === 'manifest' || kind === 'index.json');
    for (const { path } of gone) rmSync(join(world.directory, path));
    const report = await withRepository(world, (repository) => repository.repair(context));
    assert.is(report.mended.length, 2);
    await checkMended(world, 'all manifests');
  });

  test(`${name}: a damaged pack that nothing can replace stays, for most of it can be read`, async () => {
    restoreCopy(world);
    const { path } = world.golden.files.find(({ kind }) => kind === 'pack')!;
    const bytes = readFileSync(join(world.directory, path));
    flip(join(world.directory, path));
    const report = await withRepository(world, (repository) => repository.repair(context));
    assert.equal(report.setAside, []);
    assert.ok(report.spoiled.length > 0);
    writeFileSync(join(world.directory, path), bytes);
    await checkMended(world, 'the pack brought back');
  });
}

test('without the key, what needs it is told of, and nothing is lost', async () => {
  const world = await prepare('without a key', [generateIdentity()]);
  const { path, neededBy } = world.golden.files.find(({ kind }) => kind === 'index')!;
  rmSync(join(world.directory, path));
  const report = await withRepository(world, (repository) => repository.repair(context), []);
  assert.equal(report.spoiled.toSorted(), neededBy.toSorted());
  const again = await withRepository(world, (repository) => repository.repair(context));
  assert.equal(again.spoiled, []);
  await checkMended(world, 'with the key');
});

for (const kinds of [['manifest'], ['manifest', 'index.json']] as const) {
  test(`lost (${kinds.join(', ')}) and repaired without the key, snapshots wait for a repair with it`, async () => {
    const world = await prepare(`waiting-${kinds.length}`, [generateIdentity()]);
    const lost = world.golden.files.filter(({ kind }) => kinds.some((one) => one === kind));
    for (const { path } of lost) rmSync(join(world.directory, path));
    for (let time = 0; time < 2; time++) {
      const report = await withRepository(world, (repository) => repository.repair(context), []);
      assert.is(report.spoiled.length, 2);
    }
    assert.is((await withRepository(world, (repository) => repository.repair(context))).mended.length, 2);
    await checkMended(world, 'with the key');
  });
}

test('a snapshot that nobody can read stays named while others come, until it is repaired', async () => {
  const world = await prepare('while others come', []);
  const { path, neededBy } = world.golden.files.find(({ kind }) => kind === 'manifest')!;
  rmSync(join(world.directory, path));
  const directory = join(root, 'while others come', 'files');
  const key = join(root, 'while others come', 'host-key');
  for (const run of ['first', 'second']) {
    const third = await withRepository(world, (repository) =>
      saveDirectories(repository, { files: directory }, context, [], key),
    );
    world.golden.snapshots.push(third);
    world.content.set(third.id, await withRepository(world, (repository) => readAll(repository, third)));
    const { damage } = await withRepository(world, (repository) => repository.verify({}, context));
    assert.equal(damage[0]?.snapshots, neededBy, run);
    await rejects(
      () => withRepository(world, (repository) => repository.remove([third.id], context)),
      DamagedError,
    );
  }
  assert.equal((await withRepository(world, (repository) => repository.repair(context))).mended, neededBy);
  await checkMended(world, 'after others came');
});

test('of a snapshot that index.json names and that is not there a warning tells', async () => {
  const world = await prepare('warned of', []);
  const { path, neededBy } = world.golden.files.find(({ kind }) => kind === 'manifest')!;
  rmSync(join(world.directory, path));
  const warnings: string[] = [];
  const progress = { ...silent, warn: (text: string) => void warnings.push(text) };
  const repository = await openRepository(world.directory, { ...context, progress });
  assert.is((await repository.snapshots()).length, 1);
  await repository.close();
  assert.is(warnings.length, 1);
  assert.match(warnings[0]!, `snapshot ${shortId(neededBy[0]!)} cannot be read`);
});

test('what stays damaged is not said to be mended', async () => {
  const world = await prepare('not mended', []);
  const { path, neededBy } = world.golden.files.find(({ kind }) => kind === 'tree')!;
  rmSync(join(world.directory, path));
  const report = await withRepository(world, (repository) => repository.repair(context));
  assert.equal(report.spoiled.toSorted(), neededBy.toSorted());
  assert.equal(report.mended, []);
});

test('an index is written anew for those alone who open its pack', async () => {
  const home = mkdtempSync(join(root, 'two-keys-'));
  const [directory, files] = [join(home, 'repository'), join(home, 'files')];
  mkdirSync(files);
  const keys = [generateIdentity(), generateIdentity()] as const;
  for (const key of keys) {
    writeFileSync(join(files, 'file'), randomBytes(1000));
    const repository = await openOrCreateRepository(directory, context);
    await saveDirectories(repository, { files }, context, [key]);
    await repository.close();
  }
  const store = { directory, recipients: [], identities: [], cache: undefined };
  const indexOfFirst = async () => (await loadCatalog(store)).stored[0]!.parts.indexes[0]!;
  const lost = await indexOfFirst();
  rmSync(blobPath(store, lost.digest));
  const { spoiled } = await withRepository({ keys, directory }, (repository) => repository.repair(context));
  assert.equal(spoiled, []);
  const index = await indexOfFirst();
  assert.is.not(index.digest, lost.digest);
  assert.ok(await readMetadata({ ...store, identities: [keys[0]] }, index));
  await rejects(() => readMetadata({ ...store, identities: [keys[1]] }, index), SignatureError);
});

test.run();
