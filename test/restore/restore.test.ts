import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { prepareRestore } from '../../src/restore/restore.ts';
import { dropKeptData, restoreStatus, takeBackRestore } from '../../src/restore/unfinished.ts';
import { ChecksFailedError, DamagedError, FailedError, UsageError } from '../../src/support/errors.ts';
import { listXattrs, setXattr } from '../../src/support/posix/xattrs.ts';
import { failure } from '../support/rejects.ts';
import { fakeServices } from './fake-services.ts';
import { fingerprint } from './fingerprint.ts';
import { entry, type TestSource } from './memory-repository.ts';
import { makeLive, simpleTree, World } from './world.ts';

test('trees come back where nothing is, and leave no trace', async () => {
  const world = new World();
  const source = simpleTree(world, 'a/b/c', 'restored');
  const { plan, run } = await world.prepare(world.repository.take([source]));
  assert.equal(plan.sources[0]?.targets, [{ where: join(world.live, 'a/b/c'), replaces: false }]);
  const report = await run();
  assert.equal(report.kept, []);
  assert.is(readFileSync(join(world.live, 'a/b/c/sub/file'), 'utf8'), 'restored');
  assert.is(statSync(join(world.live, 'a')).mode & 0o777, 0o755);
  assert.not(world.hasTraces());
});

test('what is there is replaced and kept, can be taken back, and dropped', async () => {
  const world = new World();
  const path = makeLive(world, 'data');
  const before = fingerprint(world.live);
  const repository = world.repository.take([simpleTree(world, 'data', 'restored')]);
  const { plan, run } = await world.prepare(repository);
  assert.is(plan.sources[0]?.targets[0]?.replaces, true);
  const { kept, id } = await run();
  assert.equal(readdirSync(path).sort(), ['link', 'sub']);
  assert.equal(kept, [join(world.live, `.dockerctl-restore-${id}`, 'old')]);
  assert.is(readFileSync(join(kept[0]!, 'data/old/file'), 'utf8'), 'what lives');
  assert.is(statSync(join(world.live, `.dockerctl-restore-${id}`)).mode & 0o777, 0o700);

  await takeBackRestore(world.ports.host, world.context);
  assert.equal(fingerprint(world.live), before);
  assert.not(world.hasTraces());

  await (await world.prepare(repository)).run();
  assert.is((await restoreStatus(world.context))[0]?.phase, 'done');
  await dropKeptData(world.ports.host, world.context);
  assert.is(readFileSync(join(path, 'sub/file'), 'utf8'), 'restored');
  assert.not(world.hasTraces());
});

test('a file and a link are targets like any other; a link that lives is replaced, not followed', async () => {
  const world = new World();
  const elsewhere = makeLive(world, 'elsewhere');
  symlinkSync(elsewhere, join(world.live, 'data'));
  const sources = [
    simpleTree(world, 'data', 'restored'),
    world.tree('file', (path) => [world.repository.file(path, 'a file')]),
    world.tree('pointer', (path) => [entry('symlink', path, { target: 'file' })]),
  ];
  await (await world.prepare(world.repository.take(sources))).run();
  assert.ok(statSync(join(world.live, 'data/sub')).isDirectory());
  assert.equal(readdirSync(elsewhere), ['old']);
  assert.is(readFileSync(join(world.live, 'pointer'), 'utf8'), 'a file');
});

test('nothing of the default ACL of the directory it is staged in comes along', async () => {
  const world = new World();
  // Version 2: owner 7, user 1234 7, group 5, mask 7, others 0. Source: linux/posix_acl_xattr.h.
  const hex = '0200000001000700ffffffff02000700d204000004000500ffffffff10000700ffffffff20000000ffffffff';
  setXattr(world.live, 'system.posix_acl_default', Buffer.from(hex, 'hex'));
  await (await world.prepare(world.repository.take([simpleTree(world, 'data', 'x')]))).run();
  for (const name of ['data', 'data/sub', 'data/sub/file'])
    assert.equal(listXattrs(join(world.live, name)), [], name);
});

test('a directory above a target may be a link', async () => {
  const world = new World();
  mkdirSync(join(world.live, 'disk/www'), { recursive: true });
  symlinkSync('disk', join(world.live, 'var'));
  await (await world.prepare(world.repository.take([simpleTree(world, 'var/www/site', 'x')]))).run();
  assert.ok(existsSync(join(world.live, 'disk/www/site/sub/file')));
});

test('a failure while staging leaves everything as it was, and no staging behind', async () => {
  const world = new World();
  makeLive(world, 'a');
  makeLive(world, 'b');
  world.services = fakeServices([{ name: 'web', mounts: [{ source: world.live, target: '/x' }] }]);
  const before = fingerprint(world.live);
  const sources = [
    simpleTree(world, 'a', 'one'),
    simpleTree(world, 'b', 'two'),
    simpleTree(world, 'new/dir', 'three'),
  ];
  for (const [name, spoil] of Object.entries({
    'a damaged chunk': () => {
      world.repository.onContent = ({ path }) => {
        if (path.endsWith('dir/sub/file')) throw new DamagedError('a chunk is damaged');
      };
    },
    'a full disk': () => {
      world.repository.onContent = () => {
        throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      };
    },
    'a short file': () => {
      world.repository.onContent = () => {};
      sources[1]!.entries.find(({ type }) => type === 'file')!.size = 100;
    },
  })) {
    spoil();
    const { run } = await world.prepare(world.repository.take(sources));
    await failure(run());
    assert.equal(fingerprint(world.live), before, name);
    assert.not(world.hasTraces(), name);
    assert.equal(world.services.calls, [], name);
  }
});

test('what the system refuses is told with the whole path', async () => {
  const world = new World();
  const disk = makeLive(world, 'disk');
  const endless = 'n'.repeat(256);
  const source = world.tree('disk/app', (path) => [
    entry('directory', path),
    entry('directory', `${path}/conf`),
    world.repository.file(`${path}/conf/${endless}`, 'x'),
  ]);
  const { run } = await world.prepare(world.repository.take([source]));
  const { message } = await failure(run());
  assert.ok(message.startsWith('restoring Title of disk/app: ENAMETOOLONG: name too long, '), message);
  assert.ok(message.endsWith(` '${disk}/app/conf/${endless}'`), message);
});

test('Ctrl-C while staging leaves everything as it was', async () => {
  const world = new World();
  makeLive(world, 'a');
  const before = fingerprint(world.live);
  const { run } = await world.prepare(world.repository.take([simpleTree(world, 'a', 'one')]));
  world.repository.onContent = () => world.interruption.abort(new Error('interrupted'));
  const { name, message } = await failure(run());
  assert.equal([name, message], ['InterruptedError', 'restoring: interrupted; everything is as it was']);
  assert.equal(fingerprint(world.live), before);
  assert.not(world.hasTraces());
});

test('services that use what is replaced, and what needs them, stop and start in order', async () => {
  const world = new World();
  makeLive(world, 'data');
  world.services = fakeServices([
    { name: 'storage', state: 'stopped' },
    {
      name: 'base',
      mounts: [{ source: join(world.live, 'data/old'), target: '/x' }],
      dependsOn: ['storage'],
    },
    { name: 'app', dependsOn: ['base'] },
    { name: 'off', state: 'stopped', dependsOn: ['base'] },
    { name: 'gone', state: 'missing' },
    { name: 'other', mounts: [{ source: join(world.live, 'database'), target: '/y' }] },
  ]);
  const { plan, run } = await world.prepare(world.repository.take([simpleTree(world, 'data', 'x')]));
  assert.equal(plan.stop, ['app', 'base']);
  assert.equal(plan.start, ['storage', 'base', 'app', 'gone']);
  await run();
  assert.equal(world.services.calls, ['stop app base', 'start storage base app gone']);
});

test('when services do not become ready, the old data and the services come back', async () => {
  const world = new World();
  makeLive(world, 'data');
  const before = fingerprint(world.live);
  world.services = fakeServices([
    { name: 'web', mounts: [{ source: world.live, target: '/x' }] },
    { name: 'gone', state: 'missing' },
  ]);
  world.services.before = (call) => {
    if (call !== 'start web gone') return;
    world.services.before = () => {};
    throw new FailedError('web does not answer');
  };
  const { run } = await world.prepare(world.repository.take([simpleTree(world, 'data', 'x')]));
  const error = await failure(run());
  assert.instance(error, ChecksFailedError);
  assert.match(error.message, /web does not answer/);
  assert.equal(fingerprint(world.live), before);
  assert.not(world.hasTraces());
  assert.equal(world.services.calls, ['stop web', 'stop gone web', 'destroy gone', 'start web']);
});

test('what appears in the way of a swap is not overwritten, and everything goes back', async () => {
  const world = new World();
  makeLive(world, 'a');
  const path = makeLive(world, 'data');
  world.services = fakeServices([{ name: 'web', mounts: [{ source: world.live, target: '/x' }] }]);
  world.services.before = (call) => {
    if (call !== 'stop web') return;
    rmSync(path, { recursive: true });
    world.services.before = () => {};
  };
  const { run } = await world.prepare(
    world.repository.take([simpleTree(world, 'a', 'x'), simpleTree(world, 'data', 'x')]),
  );
  await failure(run());
  assert.equal(readdirSync(join(world.live, 'a')), ['old']);
  assert.not(world.hasTraces());
});

test('--to writes every kind of source under a directory, and touches nothing else', async () => {
  const world = new World();
  makeLive(world, 'data');
  const before = fingerprint(world.live);
  const dump: TestSource = {
    name: 'database',
    kind: 'dump',
    origin: { engine: 'postgres', service: 'postgres' },
    entries: [
      entry('directory', 'cluster', { mode: 0o700 }),
      world.repository.file('cluster/globals.sql', 'sql', { mode: 0o600 }),
    ],
  };
  const volume: TestSource = {
    name: 'uploads',
    kind: 'volume',
    origin: { volume: 'shop_uploads' },
    entries: [entry('directory', '.', { uid: 33 }), world.repository.file('photo', 'jpeg')],
  };
  const to = join(world.directory, 'out', 'here');
  const repository = world.repository.take([simpleTree(world, 'data', 'x'), dump, volume]);
  const request = { snapshot: 'latest', only: [], full: false, to };
  const ports = {
    repository,
    host: undefined,
  };
  const report = await (await prepareRestore(request, ports, world.context)).run();
  assert.equal(report.kept, []);
  assert.is(readFileSync(join(to, 'database/cluster/globals.sql'), 'utf8'), 'sql');
  assert.is(readFileSync(join(to, 'uploads/photo'), 'utf8'), 'jpeg');
  assert.is(statSync(join(to, 'uploads')).uid, 33);
  assert.is(readFileSync(join(to, 'data', world.live, 'data/sub/file'), 'utf8'), 'x');
  assert.is(statSync(to).mode & 0o777, 0o700);
  assert.equal(fingerprint(world.live), before);
  assert.not(world.hasTraces());
  assert.instance(await failure(prepareRestore(request, ports, world.context)), UsageError);
});

test('one that was planned before another was killed does not begin either', async () => {
  const world = new World();
  makeLive(world, 'a');
  const { run } = await world.prepare(world.repository.take([simpleTree(world, 'a', 'x')]));
  const journals = join(world.context.stateDir, 'restores');
  mkdirSync(journals, { recursive: true });
  const killed = { version: 1, id: '0a0b0c0d', started: new Date().toISOString(), phase: 'staging' };
  writeFileSync(join(journals, '0a0b0c0d.json'), JSON.stringify(killed));
  assert.match((await failure(run())).message, /the restore 0a0b0c0d begun .* was never finished/);
  assert.equal(readdirSync(join(world.live, 'a')), ['old']);
});

test('two restores at once: the second is refused', async () => {
  const world = new World();
  const repository = world.repository.take([simpleTree(world, 'a', 'x')]);
  const [one, two] = [await world.prepare(repository), await world.prepare(repository)];
  const results = await Promise.allSettled([one.run(), two.run()]);
  assert.equal(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test.run();
