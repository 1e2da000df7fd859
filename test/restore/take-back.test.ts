import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dropKeptData, restoreStatus, resumeRestore, takeBackRestore } from '../../src/restore/unfinished.ts';
import { ContainerStateError, DamagedError, FailedError } from '../../src/support/errors.ts';
import { failure } from '../support/rejects.ts';
import { fakeServices } from './fake-services.ts';
import { fingerprint } from './fingerprint.ts';
import { entry } from './memory-repository.ts';
import { declared, makeLive, simpleTree, World, wholeTree } from './world.ts';

/** Services that use what lives; `app` needs `base`. */
function withServices(world: World): void {
  const mounts = [{ source: world.live, target: '/x' }];
  world.services = fakeServices([
    { name: 'base', mounts },
    { name: 'app', mounts, dependsOn: ['base'] },
  ]);
}

/** A host with services whose data was replaced; `before` is what it was. */
async function restored() {
  const world = new World();
  makeLive(world, 'data');
  withServices(world);
  const before = fingerprint(world.live);
  const repository = world.repository.take([simpleTree(world, 'data', 'restored')]);
  await (await world.prepare(repository)).run();
  return { world, before, repository };
}

/** Lets the next call that begins so fail, once. */
function failAt(world: World, start: string): void {
  world.services.before = (call) => {
    if (!call.startsWith(start)) return;
    world.services.before = () => {};
    throw new FailedError('the engine is gone');
  };
}

test('a finished restore of which taking back fails is half replaced: what was kept is not dropped, and both ways stay', async () => {
  for (const way of ['back', 'on'] as const) {
    const { world, before, repository } = await restored();
    const { ports, context } = world;
    failAt(world, 'stop');
    assert.instance(await failure(takeBackRestore(ports.host, context)), ContainerStateError);
    assert.is((await restoreStatus(context))[0]?.phase, 'swapping');
    assert.equal(await dropKeptData(ports.host, context), []);
    if (way === 'back') {
      await takeBackRestore(ports.host, context);
      assert.equal(fingerprint(world.live), before);
      assert.not(world.hasTraces());
    } else {
      await resumeRestore(async () => repository, ports.host, context);
      assert.is(readFileSync(join(world.live, 'data/sub/file'), 'utf8'), 'restored');
    }
  }
});

test('when services do not start again, they are still owed to whoever takes it back, or finishes it', async () => {
  for (const way of ['back', 'on'] as const) {
    const { world, before, repository } = await restored();
    const { ports, context, services } = world;
    failAt(world, 'start');
    assert.instance(await failure(takeBackRestore(ports.host, context)), ContainerStateError);
    assert.is((await restoreStatus(context))[0]?.phase, 'staging');
    assert.is(readFileSync(join(world.live, 'data/old/file'), 'utf8'), 'what lives');
    services.calls.length = 0;
    if (way === 'back') {
      await takeBackRestore(ports.host, context);
      assert.equal(fingerprint(world.live), before);
      assert.not(world.hasTraces());
      assert.equal(services.calls, ['start base app']);
    } else {
      await resumeRestore(async () => repository, ports.host, context);
      assert.equal(services.calls, ['start base app', 'stop app base', 'start base app']);
    }
  }
});

test('data is kept where only some of what was restored was there before', async () => {
  const world = new World();
  makeLive(world, 'data');
  const sources = [simpleTree(world, 'data', 'one'), simpleTree(world, 'new', 'two')];
  const { kept } = await (await world.prepare(world.repository.take(sources))).run();
  assert.is(kept.length, 1);
  assert.is(readFileSync(join(kept[0]!, 'data/old/file'), 'utf8'), 'what lives');
  await takeBackRestore(world.ports.host, world.context);
  assert.equal(readdirSync(world.live), ['data']);
});

test('what somebody put beside the replaced data is not removed with it', async () => {
  const world = new World();
  makeLive(world, 'data');
  const { run } = await world.prepare(world.repository.take([simpleTree(world, 'data', 'restored')]));
  const { kept } = await run();
  const precious = join(kept[0]!, 'precious');
  writeFileSync(precious, 'a note');
  const error = await failure(takeBackRestore(world.ports.host, world.context));
  assert.instance(error, ContainerStateError);
  assert.match(error.message, `taking the restore back: ${join(world.live, 'precious')} has not gone back`);
  assert.is(readFileSync(precious, 'utf8'), 'a note');
  execFileSync('mv', [precious, world.directory]);
  await takeBackRestore(world.ports.host, world.context);
  assert.not(world.hasTraces());
});

test('directories that were made for it go, however many, unless somebody has put something in', async () => {
  const world = new World();
  const before = fingerprint(world.live);
  const repository = world.repository.take([simpleTree(world, 'a/b/c/d', 'x')]);
  world.repository.onContent = () => {
    throw new DamagedError('a chunk is damaged');
  };
  await failure((await world.prepare(repository)).run());
  assert.equal(fingerprint(world.live), before);
  world.repository.onContent = () => {
    writeFileSync(join(world.live, 'a/note'), 'mine');
    throw new DamagedError('a chunk is damaged');
  };
  await failure((await world.prepare(repository)).run());
  assert.equal(readdirSync(join(world.live, 'a')), ['note']);
  assert.not(world.hasTraces());
});

test('a mount point gets the owner, rights and time of the backup, and its own again; what backups leave out lives on', async () => {
  const world = new World();
  const disk = makeLive(world, 'disk');
  world.sources.push(declared('disk', { filter: { ...wholeTree, exclude: ['/cache/'] } }));
  mkdirSync(join(disk, 'cache'));
  writeFileSync(join(disk, 'cache/x'), 'cached');
  chmodSync(disk, 0o700);
  execFileSync('mount', ['--bind', disk, disk]);
  try {
    const before = fingerprint(disk);
    const source = world.tree('disk', (path) => [
      entry('directory', path, { mode: 0o2775, uid: 33, gid: 44 }),
      world.repository.file(`${path}/file`, 'restored'),
    ]);
    await (await world.prepare(world.repository.take([source]))).run();
    const { mode, uid, gid } = statSync(disk);
    assert.equal([mode & 0o7777, uid, gid], [0o2775, 33, 44]);
    assert.is(statSync(disk, { bigint: true }).mtimeNs, 1_700_000_000_123_456_789n);
    assert.is(readFileSync(join(disk, 'cache/x'), 'utf8'), 'cached');
    assert.not(existsSync(join(disk, 'old')));
    await takeBackRestore(world.ports.host, world.context);
    assert.equal(fingerprint(disk), before);
  } finally {
    execFileSync('umount', [disk]);
  }
});

test.run();
