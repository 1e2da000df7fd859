import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { blobPath } from '../../../src/oci/layout.ts';
import { publishIndex, stageIndex } from '../../../src/oci/layout-index.ts';
import { generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import { repack } from '../../../src/repository/prune/repack.ts';
import type { RemovalReport, VerifyReport } from '../../../src/repository/repository.ts';
import { loadCatalog } from '../../../src/repository/snapshot/catalog.ts';
import { encodeSnapshotIndex } from '../../../src/repository/snapshot/index-json.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { blobsOf, type StoredSnapshot } from '../../../src/repository/snapshot/stored.ts';
import { DamagedError, InterruptedError, LockedError } from '../../../src/support/errors.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));

/** A repository of three snapshots; each has a file of its own and one that all have. */
class Fixture {
  readonly root: string;
  readonly files: string;
  readonly repository: string;
  readonly snapshots: Snapshot[] = [];

  /** The keys at hand. */
  identities: Identity[] = [];
  readonly #recipients: Identity[];

  constructor(directory = mkdtempSync(join(root, 'fixture-')), size = 300_000, recipients: Identity[] = []) {
    this.root = directory;
    this.#recipients = recipients;
    this.files = join(directory, 'files');
    this.repository = join(directory, 'repository');
    mkdirSync(this.files);
    writeFileSync(join(this.files, 'shared'), randomBytes(size));
  }

  async save(size = 200_000): Promise<Snapshot> {
    writeFileSync(join(this.files, 'own'), randomBytes(size));
    const repository = await openOrCreateRepository(this.repository, context);
    const snapshot = await saveDirectories(repository, { files: this.files }, context, this.#recipients);
    await repository.close();
    this.snapshots.push(snapshot);
    return snapshot;
  }

  async saveThree(): Promise<[Snapshot, Snapshot, Snapshot]> {
    return [await this.save(), await this.save(), await this.save()];
  }

  async remove(...snapshots: Snapshot[]): Promise<RemovalReport> {
    const { identities } = this;
    const repository = await openRepository(this.repository, context, { identities });
    try {
      return await repository.remove(
        snapshots.map(({ id }) => id),
        context,
      );
    } finally {
      await repository.close();
    }
  }

  async read(snapshot: Snapshot, path: string): Promise<Buffer> {
    const { identities } = this;
    const repository = await openRepository(this.repository, context, { identities });
    const entries = await Array.fromAsync(repository.entries(snapshot, 'files'));
    const entry = entries.find((one) => one.path === path);
    const content = Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry!)));
    await repository.close();
    return content;
  }

  async list(): Promise<string[]> {
    const repository = await openRepository(this.repository, context);
    const snapshots = await repository.snapshots();
    await repository.close();
    return snapshots.map(({ id }) => id);
  }

  async verify(): Promise<VerifyReport['damage']> {
    const { identities } = this;
    const repository = await openRepository(this.repository, context, { identities });
    const { damage } = await repository.verify({ readData: true }, context);
    await repository.close();
    return damage;
  }

  stored(): Promise<StoredSnapshot[]> {
    return loadCatalog({ directory: this.repository, recipients: [], identities: [], cache: undefined }).then(
      (catalog) => catalog.stored,
    );
  }

  blobs(): string[] {
    return readdirSync(join(this.repository, 'blobs', 'sha256'));
  }
}

test('a snapshot goes with what only it needs, and nothing else', async () => {
  const fixture = new Fixture();
  const [first, second, third] = await fixture.saveThree();
  const before = fixture.blobs().length;
  const report = await fixture.remove(second);
  assert.equal(report.snapshots, [second.id]);
  assert.is(fixture.blobs().length, before - report.blobs);
  assert.ok(report.bytes > 200_000 && report.bytes < 300_000);
  assert.equal(await fixture.list(), [first.id, third.id]);
  assert.equal(await fixture.verify(), []);
  const rest = await fixture.remove(first);
  assert.ok(rest.bytes < 100_000, 'its pack holds the shared file too, which the third needs');
  assert.equal(await fixture.verify(), []);
});

test('when all are gone the next backup begins anew', async () => {
  const fixture = new Fixture();
  await fixture.remove(...(await fixture.saveThree()));
  assert.equal(fixture.blobs(), []);
  assert.equal(await fixture.list(), []);
  const next = await fixture.save();
  assert.ok(next.added.bytes > 500_000);
  assert.equal(await fixture.verify(), []);
});

test('a pack that is mostly unused is written anew, and nobody notices but the disk', async () => {
  const fixture = new Fixture(undefined, 100_000);
  const [first, second, third] = await fixture.saveThree();
  const shared = readFileSync(join(fixture.files, 'shared'));
  const report = await fixture.remove(first);
  assert.is(report.rewritten.packs, 1);
  assert.ok(report.rewritten.bytes > 100_000 && report.rewritten.bytes < 110_000);
  assert.ok(report.bytes > 300_000);
  assert.equal(await fixture.list(), [second.id, third.id]);
  assert.equal(await fixture.verify(), []);
  for (const snapshot of [second, third]) assert.equal(await fixture.read(snapshot, 'shared'), shared);
  const next = await fixture.save(0);
  assert.is(next.predecessor, third.id);
  assert.is(next.sources[0]?.newBytes, 0);
  assert.is((await fixture.remove()).rewritten.packs, 0);
});

test('a sealed pack is written anew with the key, for the same recipients; without one it stays', async () => {
  const [alice, bob] = [generateIdentity(), generateIdentity()];
  const fixture = new Fixture(undefined, 100_000, [alice, bob]);
  const [first, second, third] = await fixture.saveThree();
  const shared = readFileSync(join(fixture.files, 'shared'));
  assert.is((await fixture.remove(first)).rewritten.packs, 0);
  fixture.identities = [alice];
  const before = fixture.blobs().length;
  const report = await fixture.remove();
  assert.is(report.rewritten.packs, 1);
  assert.is(
    fixture.blobs().length,
    before,
    'a pack for a pack, an index for an index, manifests for manifests',
  );
  fixture.identities = [bob];
  for (const snapshot of [second, third]) assert.equal(await fixture.read(snapshot, 'shared'), shared);
  assert.equal(await fixture.verify(), []);
  fixture.identities = [];
  const next = await fixture.save(0);
  assert.is(next.predecessor, third.id, 'the host still knows what is inside');
  assert.is(next.sources[0]?.newBytes, 0);
});

test('killed while manifests are issued again, each snapshot is there once and whole', async () => {
  for (const published of [false, true]) {
    const fixture = new Fixture(undefined, 100_000);
    const [, second, third] = await fixture.saveThree();
    const store = { directory: fixture.repository, recipients: [], identities: [], cache: undefined };
    const [gone, ...staying] = await fixture.stored();
    await stageIndex(store, encodeSnapshotIndex(staying));
    unlinkSync(blobPath(store, gone!.manifest.digest));
    await publishIndex(store);
    const index = join(fixture.repository, 'index.json');
    const before = [index, ...staying.map(({ manifest }) => blobPath(store, manifest.digest))];
    const contents = before.map((path) => readFileSync(path));
    assert.is((await repack(store, staying, context))?.packs, 1);
    // The old manifests are there again, as they were before the last step, and the old index before the one before.
    for (const [i, path] of before.entries()) {
      if (path !== index || !published) writeFileSync(path, contents[i]!);
    }
    assert.equal(await fixture.list(), [second.id, third.id]);
    assert.equal(await fixture.verify(), []);
    const fourth = await fixture.save(0);
    await fixture.remove();
    assert.equal(await fixture.list(), [second.id, third.id, fourth.id]);
    assert.equal(await fixture.verify(), []);
  }
});

test('what dead runs left is swept along', async () => {
  const fixture = new Fixture();
  await fixture.save();
  writeFileSync(join(fixture.repository, 'blobs', 'sha256', 'a'.repeat(64)), 'left by a kill');
  assert.equal(await fixture.remove(), {
    snapshots: [],
    blobs: 1,
    bytes: 14,
    rewritten: { packs: 0, bytes: 0 },
  });
  assert.equal(await fixture.verify(), []);
});

test('a snapshot that cannot be read stops all removing: what it needs is not known', async () => {
  const fixture = new Fixture();
  const [first, second] = await fixture.saveThree();
  const config = blobPath({ directory: fixture.repository }, second.id as `sha256:${string}`);
  const content = readFileSync(config);
  writeFileSync(config, 'damaged');
  const before = fixture.blobs();
  assert.instance(await fixture.remove(first).catch((error: unknown) => error), DamagedError);
  assert.equal(fixture.blobs(), before);
  writeFileSync(config, content);
  await fixture.remove(first);
  assert.equal(await fixture.verify(), []);
});

test('killed between any two steps, all snapshots that are listed are whole, and the next run goes on', async () => {
  for (const steps of [1, 2]) {
    const fixture = new Fixture();
    const [first, second, third] = await fixture.saveThree();
    const stored = await fixture.stored();
    const [gone] = stored;
    const layout = { directory: fixture.repository };
    await stageIndex(layout, encodeSnapshotIndex(stored.slice(1)));
    if (steps === 2) unlinkSync(blobPath(layout, gone?.manifest.digest as `sha256:${string}`));
    const all = [first.id, second.id, third.id];
    assert.equal(await fixture.list(), steps === 2 ? all.slice(1) : all);
    assert.equal(await fixture.verify(), []);
    const fourth = await fixture.save();
    assert.equal(await fixture.list(), [...(steps === 2 ? all.slice(1) : all), fourth.id]);
    assert.equal(await fixture.verify(), []);
    await fixture.remove(first);
    assert.equal(await fixture.list(), [...all.slice(1), fourth.id]);
    assert.equal(await fixture.verify(), []);
  }
});

test('a snapshot of which a second manifest lies there, as after a kill or by rsync, goes with both though it is interrupted', async () => {
  const fixture = new Fixture();
  const [first] = await fixture.saveThree();
  const [gone] = await fixture.stored();
  const manifest = readFileSync(blobPath({ directory: fixture.repository }, gone!.manifest.digest), 'utf8');
  const reworded = JSON.stringify({ ...JSON.parse(manifest), annotations: { of: 'before' } });
  writeFileSync(blobPath({ directory: fixture.repository }, digestOf(reworded)), reworded);
  let asked = 0;
  const signal = {
    ...context.signal,
    get aborted() {
      return asked++ > 0;
    },
  } as AbortSignal;
  const repository = await openRepository(fixture.repository, context);
  const interrupted = await repository
    .remove([first.id], { ...context, signal })
    .catch((error: unknown) => error);
  assert.instance(interrupted, InterruptedError);
  const { snapshots, damage } = await repository.verify({}, context);
  assert.equal([snapshots, damage], [2, []]);
  await repository.remove([], context);
  assert.is((await repository.snapshots()).length, 2);
  await repository.close();
});

test('asked to end while packs are written anew it says so, and the next run writes them', async () => {
  const fixture = new Fixture(undefined, 100_000);
  const [first, second, third] = await fixture.saveThree();
  const [gone, ...stay] = await fixture.stored();
  const needed = new Set(stay.flatMap(blobsOf).map(({ digest }) => digest));
  const unneeded = blobsOf(gone!).filter(({ digest }) => !needed.has(digest));
  const isSwept = () => unneeded.every(({ digest }) => !fixture.blobs().includes(digest.slice(7)));
  const signal = {
    ...context.signal,
    get aborted() {
      return isSwept();
    },
  } as AbortSignal;
  const repository = await openRepository(fixture.repository, context);
  const interrupted = repository.remove([first.id], { ...context, signal });
  assert.instance(await interrupted.catch((error: unknown) => error), InterruptedError);
  await repository.close();
  assert.ok(isSwept());
  assert.equal(await fixture.list(), [second.id, third.id]);
  assert.is((await fixture.remove()).rewritten.packs, 1);
  assert.equal(await fixture.verify(), []);
});

test('nobody removes what somebody reads or writes', async () => {
  const fixture = new Fixture();
  const first = await fixture.save();
  const reader = await openRepository(fixture.repository, context);
  await reader.snapshots();
  assert.instance(await fixture.remove(first).catch((error: unknown) => error), LockedError);
  await reader.close();
  const writer = await openRepository(fixture.repository, context);
  const run = await writer.beginRun({ host: 'h', deployment: 'd', release: undefined }, context);
  assert.instance(await fixture.remove(first).catch((error: unknown) => error), LockedError);
  await run.abandon();
  await writer.close();
  await fixture.remove(first);
});

test('with nothing free at all removing makes room', async () => {
  const small = mkdtempSync(join(root, 'small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'small', small]);
  try {
    const fixture = new Fixture(small);
    for (let i = 0; i < 3; i++) await fixture.save(2_000_000);
    const [, second] = fixture.snapshots;
    const free = () => statfsSync(small).bavail * statfsSync(small).bsize;
    const filler = join(small, 'filler');
    for (let chunk = 1 << 20; chunk >= 1; chunk >>= 1) {
      while (tryAppend(filler, chunk));
    }
    assert.is(free(), 0);
    await fixture.remove(second!);
    assert.ok(free() > 1_500_000);
    assert.equal(await fixture.verify(), []);
  } finally {
    execFileSync('umount', ['-l', small]);
  }
});

function tryAppend(path: string, bytes: number): boolean {
  try {
    writeFileSync(path, Buffer.alloc(bytes, 1), { flag: 'a' });
    return true;
  } catch {
    return false;
  }
}

test.run();
