import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRecipient, generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { flip } from '../../support/flip.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { sealings } from '../sealings.ts';
import { readWhatCanBe } from '../torture/read-what-can-be.ts';
import { type KnownFile, makeSmallRepository, type SmallRepository } from '../torture/small-repository.ts';
import { opener } from './with-repository.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const withRepository = opener(context);

interface World {
  keys: readonly Identity[];
  golden: SmallRepository;
  directory: string;
  /** Of each snapshot, by its id. */
  content: Map<string, Map<string, string>>;
}

async function prepare(name: string, keys: readonly Identity[] = []): Promise<World> {
  mkdirSync(join(root, name));
  const golden = await makeSmallRepository(join(root, name), keys);
  const world: World = { keys, golden, directory: join(root, name, 'copy'), content: new Map() };
  cpSync(golden.directory, world.directory, { recursive: true });
  await withRepository(world, async (repository) => {
    for (const snapshot of golden.snapshots)
      world.content.set(snapshot.id, await readWhatCanBe(repository, snapshot));
  });
  return world;
}

/** The files of a kind that only this snapshot needs. */
function onlyOf({ golden }: World, kind: KnownFile['kind'], id: string): KnownFile[] {
  return golden.files.filter((file) => file.kind === kind && file.neededBy.join() === id);
}

function lose({ directory }: World, files: readonly KnownFile[]): void {
  assert.ok(files.length > 0);
  for (const { path } of files) rmSync(join(directory, path));
}

test('of several recipients a config that is written anew names those who open it for certain, and says how many more there are', async () => {
  const keys = [generateIdentity(), generateIdentity()];
  const world = await prepare('two-keys', keys);
  const [, second] = world.golden.snapshots as [Snapshot, Snapshot];
  lose(world, onlyOf(world, 'config', second.id));
  const warnings: string[] = [];
  const progress = { ...context.progress, warn: (message: string) => void warnings.push(message) };
  const [first] = keys;
  await withRepository(world, (repository) => repository.repair({ ...context, progress }), [first!]);
  assert.match(warnings.at(-1) ?? '', 'names 1 of the 2 recipients who may open it');
  await withRepository(
    world,
    async (repository) => {
      const again = (await repository.snapshots()).find(({ rebuilt }) => rebuilt)!;
      assert.equal(again.recipients, [encodeRecipient(first!)]);
      await repository.remove([world.golden.snapshots[0]!.id], context);
    },
    [first!],
  );
  await withRepository(
    world,
    async (repository) => {
      const [left] = await repository.snapshots();
      assert.equal(
        await readWhatCanBe(repository, left!),
        world.content.get(second.id),
        'for the other key too',
      );
    },
    [keys[1]!],
  );
});

test('of several recipients all are named of a snapshot that shares everything with others', async () => {
  const keys = [generateIdentity(), generateIdentity()];
  const [home, files] = [join(root, 'unchanged'), join(root, 'unchanged-files')];
  mkdirSync(files);
  writeFileSync(join(files, 'file'), 'the same every night');
  await setTimeout(100); // What was written just before a run is read again by the next.
  const world = { keys, directory: home };
  const repository = await openOrCreateRepository(home, context);
  const recipients = keys.map(({ publicKey }) => ({ publicKey }));
  await saveDirectories(repository, { files }, context, recipients);
  const { id } = await saveDirectories(repository, { files }, context, recipients);
  await repository.close();
  rmSync(join(home, 'blobs', 'sha256', id.slice('sha256:'.length)));
  await withRepository(world, (it) => it.repair(context), [keys[1]!]);
  const again = await withRepository(world, async (it) =>
    (await it.snapshots()).find(({ rebuilt }) => rebuilt),
  );
  assert.equal(again?.recipients.toSorted(), keys.map(encodeRecipient).toSorted());
});

for (const [name, keys] of sealings) {
  for (const how of ['lost', 'damaged'] as const) {
    test(`${name}: a ${how} config is written anew from what else is known, and says so`, async () => {
      const world = await prepare(`${name}-${how}`, keys);
      const [first, second] = world.golden.snapshots as [Snapshot, Snapshot];
      const [config] = onlyOf(world, 'config', first.id);
      if (how === 'lost') lose(world, [config!]);
      else flip(join(world.directory, config!.path));
      const report = await withRepository(world, (repository) => repository.repair(context));
      assert.equal([report.snapshots, report.spoiled, report.rebuilt.length], [2, [], 1]);
      await withRepository(world, async (repository) => {
        assert.equal((await repository.verify({ readData: true }, context)).damage, []);
        const [again, other] = (await repository.snapshots()) as [Snapshot, Snapshot];
        assert.equal(other, second);
        assert.is(again.id, report.rebuilt[0]);
        const { rebuilt, complete, started, host, deployment, recipients } = again;
        assert.equal([rebuilt, complete], [true, false]);
        const { host: was, deployment: of, recipients: to } = first;
        assert.equal(
          { started, host, deployment, recipients },
          { started: first.started, host: was, deployment: of, recipients: to },
        );
        const told = (snapshot: Snapshot) =>
          snapshot.sources.map(({ name, title, kind, origin, files, bytes }) => ({
            name,
            title,
            kind,
            origin,
            files,
            bytes,
          }));
        assert.equal(told(again), told(first));
        assert.is((await repository.signedConfig(again)).signature, undefined);
        assert.equal(await readWhatCanBe(repository, again), world.content.get(first.id));
        await repository.remove([], context);
        assert.equal(await readWhatCanBe(repository, again), world.content.get(first.id));
      });
      const once = await withRepository(world, (repository) => repository.repair(context));
      assert.equal([once.rebuilt, once.mended, once.spoiled], [[], [], []]);
    });
  }

  test(`${name}: so are all configs at once, though nobody knows the host any more`, async () => {
    const world = await prepare(`${name}-all`, keys);
    for (const { id } of world.golden.snapshots) lose(world, onlyOf(world, 'config', id));
    const report = await withRepository(world, (repository) => repository.repair(context));
    assert.equal([report.rebuilt.length, report.spoiled], [2, []]);
    await withRepository(world, async (repository) => {
      assert.equal((await repository.verify({ readData: true }, context)).damage, []);
      for (const [i, snapshot] of (await repository.snapshots()).entries()) {
        const was = world.golden.snapshots[i]!;
        assert.equal(
          snapshot.sources.map((source) => source.name),
          was.sources.map((source) => source.name),
        );
        assert.equal([snapshot.host, snapshot.recipients], ['unknown', was.recipients]);
        assert.equal(await readWhatCanBe(repository, snapshot), world.content.get(was.id));
      }
    });
  });

  for (const kind of ['tree', 'pack', 'index'] as const) {
    test(`${name}: a snapshot that lost its manifest and a ${kind} comes back with what is left`, async () => {
      const world = await prepare(`${name}-manifest-${kind}`, keys);
      const { id } = world.golden.snapshots[1]!;
      lose(world, onlyOf(world, 'manifest', id));
      const lost = onlyOf(world, kind, id);
      lose(world, lost.slice(0, kind === 'index' ? lost.length : 1));
      const report = await withRepository(world, (repository) => repository.repair(context));
      assert.equal([report.snapshots, report.spoiled], [2, kind === 'index' ? [] : [id]]);
      await withRepository(world, async (repository) => {
        await repository.remove([], context);
        const snapshot = await repository.find(id);
        const left = await readWhatCanBe(repository, snapshot);
        const whole = world.content.get(id)!;
        assert.ok(kind === 'index' ? left.size === whole.size : left.size > 0 && left.size < whole.size);
        for (const [file, content] of left) assert.is(content, whole.get(file));
      });
    });
  }
}

test('what only a lost part of a tree needed is kept for the day that it is brought back', async () => {
  const world = await prepare('brought-back');
  const { id } = world.golden.snapshots[1]!;
  lose(world, onlyOf(world, 'manifest', id));
  const [tree] = onlyOf(world, 'tree', id);
  const bytes = readFileSync(join(world.directory, tree!.path));
  lose(world, [tree!]);
  await withRepository(world, (repository) => repository.repair(context));
  await withRepository(world, (repository) => repository.remove([], context));
  writeFileSync(join(world.directory, tree!.path), bytes);
  const report = await withRepository(world, (repository) => repository.repair(context));
  assert.equal([report.mended, report.spoiled], [[id], []]);
  await withRepository(world, async (repository) => {
    assert.equal((await repository.verify({ readData: true }, context)).damage, []);
    assert.equal(await readWhatCanBe(repository, await repository.find(id)), world.content.get(id));
  });
});

test('of a snapshot that nobody can describe nothing is removed, until it is given up', async () => {
  const world = await prepare('given-up');
  const [first, second] = world.golden.snapshots as [Snapshot, Snapshot];
  lose(world, [...onlyOf(world, 'manifest', first.id), ...onlyOf(world, 'config', first.id)]);
  const [tree] = onlyOf(world, 'tree', first.id);
  for (let time = 0; time < 2; time++) {
    const report = await withRepository(world, (repository) => repository.repair(context));
    assert.equal([report.snapshots, report.spoiled.length, report.givenUp], [1, 1, []]);
    await withRepository(world, async (repository) => {
      await rejects(() => repository.remove([], context), DamagedError);
    });
  }
  const report = await withRepository(world, (repository) => repository.repair(context, { giveUp: true }));
  assert.equal([report.snapshots, report.spoiled, report.givenUp.length], [1, [], 1]);
  assert.ok(existsSync(join(world.directory, tree!.path)));
  await withRepository(world, async (repository) => {
    assert.equal((await repository.verify({ readData: true }, context)).damage, []);
    await repository.remove([], context);
    assert.not.ok(existsSync(join(world.directory, tree!.path)));
    assert.equal(await readWhatCanBe(repository, second), world.content.get(second.id));
  });
});

test('without the key a lost config waits for a repair with it, and nothing is removed meanwhile', async () => {
  const world = await prepare('waiting', [generateIdentity()]);
  const { id } = world.golden.snapshots[0]!;
  lose(world, onlyOf(world, 'config', id));
  const report = await withRepository(world, (repository) => repository.repair(context), []);
  assert.equal([report.spoiled, report.rebuilt, report.setAside], [[id], [], []]);
  await withRepository(world, (repository) => rejects(() => repository.remove([], context), DamagedError));
  const again = await withRepository(world, (repository) => repository.repair(context));
  assert.equal([again.rebuilt.length, again.spoiled], [1, []]);
});

test('a snapshot without any content gets its manifest back', async () => {
  const world = await prepare('empty');
  const empty = join(root, 'empty', 'nothing');
  mkdirSync(empty);
  const { saveDirectories } = await import('../../support/save-directory.ts');
  const { id } = await withRepository(world, (repository) => saveDirectories(repository, { empty }, context));
  const index = JSON.parse(readFileSync(join(world.directory, 'index.json'), 'utf8'));
  rmSync(join(world.directory, 'blobs', 'sha256', index.manifests.at(-1).digest.slice(7)));
  const report = await withRepository(world, (repository) => repository.repair(context));
  assert.equal([report.mended, report.spoiled], [[id], []]);
  await withRepository(world, async (repository) => {
    assert.equal((await repository.verify({}, context)).damage, []);
    assert.is((await repository.snapshots()).length, 3);
  });
});

test('an encrypted snapshot that holds nothing but its warnings gets its config back', async () => {
  const key = generateIdentity();
  const world = await prepare('warnings-only', [key]);
  const options = { host: 'here', deployment: 'test', release: undefined, recipients: [key] };
  const { id } = await withRepository(world, async (repository) => {
    const run = await repository.beginRun(options, context);
    const source = await run.beginSource({ name: 'gone', title: 'Gone', kind: 'paths', origin: {} });
    source.fail('/srv/gone: does not exist');
    await source.end();
    return run.commit();
  });
  rmSync(join(world.directory, 'blobs', 'sha256', id.slice('sha256:'.length)));
  const report = await withRepository(world, (repository) => repository.repair(context));
  assert.equal([report.rebuilt.length, report.spoiled], [1, []]);
});

test.run();
