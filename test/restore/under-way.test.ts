import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RestoreReport } from '../../src/restore/conclude.ts';
import { halfReplaced, refuseHalfReplaced } from '../../src/restore/half-replaced.ts';
import { dropKeptData, restoreStatus, resumeRestore, takeBackRestore } from '../../src/restore/unfinished.ts';
import { LockedError, NotFoundError } from '../../src/support/errors.ts';
import { failure } from '../support/rejects.ts';
import { fakeServices } from './fake-services.ts';
import { makeLive, simpleTree, World } from './world.ts';

interface UnderWay {
  world: World;
  /** Lets it go on to its end. */
  finish(): Promise<RestoreReport>;
}

/** A restore that waits for a service to stop. */
async function restoring(): Promise<UnderWay> {
  const world = new World();
  makeLive(world, 'data');
  world.services = fakeServices([{ name: 'web', mounts: [{ source: world.live, target: '/x' }] }]);
  const { stop } = world.services;
  const stopping = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  world.services.stop = async (...asked) => {
    stopping.resolve();
    await stopped.promise;
    await stop(...asked);
  };
  const { run } = await world.prepare(world.repository.take([simpleTree(world, 'data', 'restored')]));
  const report = run();
  await stopping.promise;
  const finish = () => {
    stopped.resolve();
    return report;
  };
  return { world, finish };
}

test('a restore that is under way is told as that, and nobody begins another, goes on with it or takes it back', async () => {
  const before = new Date();
  const { world, finish } = await restoring();
  const { context, repository, ports } = world;
  const [status] = await restoreStatus(context);
  assert.equal([status?.phase, status?.underWay], ['swapping', true]);
  assert.is(await halfReplaced('another', before, context), undefined);
  assert.match(
    (await halfReplaced('test', before, context)) ?? '',
    /^the restore \w+ begun .* is replacing what is here/,
  );
  for (const refused of [
    () => world.prepare(world.repository.take([])),
    () => resumeRestore(async () => repository, ports.host, context),
    () => takeBackRestore(ports.host, context),
    () => dropKeptData(ports.host, context),
    () => refuseHalfReplaced('test', context),
  ])
    assert.instance(await failure(refused()), LockedError);
  await finish();
  assert.is(readFileSync(join(world.live, 'data/sub/file'), 'utf8'), 'restored');
  assert.is((await restoreStatus(context))[0]?.underWay, false);
  assert.match((await halfReplaced('test', before, context)) ?? '', /has replaced what is here meanwhile/);
  assert.is(await halfReplaced('test', new Date(), context), undefined);
});

test('one that left no journal is told too to whoever read what is here meanwhile', async () => {
  const { world, finish } = await restoring();
  const { context, ports, repository } = world;
  await finish();
  const beforeBack = new Date();
  await takeBackRestore(ports.host, context);
  assert.match(
    (await halfReplaced('test', beforeBack, context)) ?? '',
    /^the restore \w+ begun .* was taken back meanwhile/,
  );
  assert.is(await halfReplaced('another', beforeBack, context), undefined);

  await setTimeout(10);
  const beforeNew = new Date();
  await (await world.prepare(repository.take([simpleTree(world, 'new', 'x')]))).run();
  assert.equal(await restoreStatus(context), []);
  assert.match((await halfReplaced('test', beforeNew, context)) ?? '', /has replaced what is here meanwhile/);
  await setTimeout(10);
  const beside = { only: [], full: false, to: join(world.directory, 'beside') };
  const since = new Date();
  await (await world.prepare(repository.take([simpleTree(world, 'new', 'x')]), beside)).run();
  assert.is(await halfReplaced('test', since, context), undefined);
});

test('a note of the last one that is no note spoils no backup', async () => {
  const { context } = new World();
  mkdirSync(join(context.stateDir, 'replaced'), { recursive: true });
  // A clock stood wrong when it was written: on a bare machine it often does.
  const future = JSON.stringify({ id: '0a', started: '2036-01-01', at: '2036-01-01T00:00:00.000Z' });
  for (const text of ['{}', '{"id":"0a","started":"x","at":"yesterday"}', 'null', '{"at":', future]) {
    writeFileSync(join(context.stateDir, 'replaced/test.json'), text);
    assert.is(await halfReplaced('test', new Date(), context), undefined, text);
  }
});

test('one that ends while its repository is being opened is not gone on with', async () => {
  const { world, finish } = await restoring();
  const open = async () => {
    await finish();
    return world.repository;
  };
  assert.instance(await failure(resumeRestore(open, world.ports.host, world.context)), NotFoundError);
  assert.is((await restoreStatus(world.context))[0]?.phase, 'done');
});

test('whoever was asked about one restore takes back no other', async () => {
  const { world, finish } = await restoring();
  const { id } = await finish();
  const { run } = await world.prepare(world.repository.take([simpleTree(world, 'data', 'newer')]));
  await run();
  assert.instance(await failure(takeBackRestore(world.ports.host, world.context, id)), NotFoundError);
  assert.is(readFileSync(join(world.live, 'data/sub/file'), 'utf8'), 'newer');
});

test.run();
