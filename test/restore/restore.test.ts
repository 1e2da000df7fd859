import { execFileSync } from 'node:child_process';
import {
  chmodSync,
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
import type { BackupSettings, FileFilter, Source } from '../../src/deployment/backup-settings.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Entry } from '../../src/repository/entry.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type PreparedRestore, prepareRestore, type RestoreRequest } from '../../src/restore/restore.ts';
import { dropKeptData, restoreStatus, takeBackRestore } from '../../src/restore/unfinished.ts';
import type { Context } from '../../src/support/context.ts';
import {
  ChecksFailedError,
  DamagedError,
  FailedError,
  NoSpaceError,
  NotFoundError,
  UsageError,
} from '../../src/support/errors.ts';
import { silent } from '../../src/support/progress.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type FakeServices, fakeServices } from './fake-services.ts';
import { fingerprint } from './fingerprint.ts';
import { entry, MemoryRepository, sorted, type TestSource } from './memory-repository.ts';

const root = temporaryDirectory();
let count = 0;

/** A host of its own: a directory with what lives, a state directory, services, and a repository. */
class World {
  readonly directory = join(root, String(count++));
  readonly live = join(this.directory, 'live');
  readonly repository = new MemoryRepository();
  services: FakeServices = fakeServices([]);
  readonly context: Context;
  readonly interruption = new AbortController();
  /** As the deployment file has them. */
  readonly sources: Source[] = [];

  constructor() {
    mkdirSync(this.live, { recursive: true });
    const stateDir = join(this.directory, 'lib', 'state');
    this.context = { progress: silent, signal: this.interruption.signal, now: () => new Date(), stateDir };
  }

  /** Entries of a tree at `live/NAME`. */
  tree(name: string, make: (path: string) => Entry[]): TestSource {
    const path = join(this.live, name);
    return { name, entries: sorted(make(path.slice(1))), origin: { paths: [path] } };
  }

  get ports() {
    const backup = { sources: this.sources } as unknown as BackupSettings;
    const deployment = { name: 'test', release: '1', volumes: [], backup };
    return { host: { engine: {} as Engine, services: this.services, deployment } };
  }

  prepare(repository: Repository, request: Partial<RestoreRequest> = {}): Promise<PreparedRestore> {
    const whole = { snapshot: 'latest', only: [], full: false, to: undefined, ...request };
    return prepareRestore(whole, { ...this.ports, repository }, this.context);
  }

  hasTraces(): boolean {
    const journals = join(this.context.stateDir, 'restores');
    const left = execFileSync('find', [this.directory, '-name', '.dockerctl-restore-*'], {
      encoding: 'utf8',
    });
    return left !== '' || (existsSync(journals) && readdirSync(journals).length > 0);
  }
}

function declared(name: string, { full = false, filter }: { full?: boolean; filter?: FileFilter }): Source {
  const everything = { include: [], exclude: [], oneFileSystem: false, excludeCaches: false };
  return { name, title: name, full, kind: 'paths', paths: [], filter: filter ?? everything };
}

function simpleTree(world: World, name: string, text: string): TestSource {
  return world.tree(name, (path) => [
    entry('directory', path),
    entry('directory', `${path}/sub`),
    world.repository.file(`${path}/sub/file`, text),
    entry('symlink', `${path}/link`, { target: '/etc' }),
  ]);
}

function makeLive(world: World, name: string): string {
  const path = join(world.live, name);
  mkdirSync(join(path, 'old'), { recursive: true });
  writeFileSync(join(path, 'old', 'file'), 'what lives');
  return path;
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.unreachable('it did not fail') as never,
    (error: Error) => error,
  );
}

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
  assert.is((await restoreStatus(world.context.stateDir))[0]?.phase, 'done');
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

test('Ctrl-C while staging leaves everything as it was', async () => {
  const world = new World();
  makeLive(world, 'a');
  const before = fingerprint(world.live);
  const { run } = await world.prepare(world.repository.take([simpleTree(world, 'a', 'one')]));
  world.repository.onContent = () => world.interruption.abort(new Error('interrupted'));
  assert.is((await failure(run())).message, 'interrupted');
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

test('what backups leave out lives on in the restored tree, and goes back with the rest', async () => {
  const world = new World();
  const path = join(world.live, 'data');
  const write = (name: string, text = 'lives') => {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  for (const name of [
    'cache/deep/x',
    'sub/a.log',
    'sub/since.txt',
    'since/b.log',
    'sub/file',
    'thumbs/1.png',
  ])
    write(name);
  write('thumbs/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n');
  const before = fingerprint(world.live);
  const filter = { include: [], exclude: ['/cache/', '*.log'], oneFileSystem: false, excludeCaches: true };
  world.sources.push(declared('data', { filter }));
  const source = simpleTree(world, 'data', 'restored');
  const root = path.slice(1);
  source.entries.push(
    entry('directory', `${root}/thumbs`),
    world.repository.file(`${root}/thumbs/CACHEDIR.TAG`, 'tag'),
  );
  const { leftOut } = await (await world.prepare(world.repository.take([source]))).run();
  assert.equal(
    leftOut.map((one) => one.slice(path.length + 1)),
    ['cache', 'sub/a.log', 'thumbs/1.png'],
  );
  assert.is(readFileSync(join(path, 'cache/deep/x'), 'utf8'), 'lives');
  assert.is(readFileSync(join(path, 'sub/file'), 'utf8'), 'restored');
  assert.equal(readdirSync(path).sort(), ['cache', 'link', 'sub', 'thumbs']);
  assert.equal(readdirSync(join(path, 'sub')).sort(), ['a.log', 'file']);
  assert.is(statSync(join(path, 'sub'), { bigint: true }).mtimeNs, 1_700_000_000_123_456_789n);
  await takeBackRestore(world.ports.host, world.context);
  assert.equal(fingerprint(world.live), before);
});

test('with an include list, everything else lives on', async () => {
  const world = new World();
  const path = makeLive(world, 'data');
  mkdirSync(join(path, 'sub'));
  writeFileSync(join(path, 'sub/other'), 'lives');
  world.sources.push(
    declared('data', {
      filter: { include: ['/sub/file'], exclude: [], oneFileSystem: false, excludeCaches: false },
    }),
  );
  const { leftOut } = await (
    await world.prepare(world.repository.take([simpleTree(world, 'data', 'restored')]))
  ).run();
  assert.equal(
    leftOut.map((one) => one.slice(path.length + 1)),
    ['old', 'sub/other'],
  );
  assert.is(readFileSync(join(path, 'old/file'), 'utf8'), 'what lives');
});

test('a mount point stays, and its children are replaced inside', async () => {
  const world = new World();
  const data = join(world.live, 'data');
  mkdirSync(join(data, 'inner/mount'), { recursive: true });
  writeFileSync(join(data, 'inner/old'), 'x');
  execFileSync('mount', ['-t', 'tmpfs', 'dockerctl-test', join(data, 'inner/mount')]);
  try {
    chmodSync(join(data, 'inner/mount'), 0o711);
    mkdirSync(join(data, 'inner/mount/lost+found'));
    writeFileSync(join(data, 'inner/mount/old'), 'y');
    const before = fingerprint(world.live);
    const source = world.tree('data', (path) => [
      entry('directory', path, { mode: 0o750 }),
      world.repository.file(`${path}/top`, 'top'),
      entry('directory', `${path}/inner`, { mode: 0o701 }),
      world.repository.file(`${path}/inner/first`, 'shared'),
      entry('directory', `${path}/inner/mount`, { mode: 0o705 }),
      entry('directory', `${path}/inner/mount/sub`),
      world.repository.file(`${path}/inner/mount/sub/file`, 'on the mount'),
      entry('file', `${path}/inner/mount/other`, { size: 6, hardlink: `${path}/inner/first` }),
    ]);
    const { run } = await world.prepare(world.repository.take([source]));
    await run();
    assert.is(readFileSync(join(data, 'inner/mount/sub/file'), 'utf8'), 'on the mount');
    assert.is(readFileSync(join(data, 'inner/mount/other'), 'utf8'), 'shared');
    assert.not(existsSync(join(data, 'inner/mount/old')));
    assert.ok(existsSync(join(data, 'inner/mount/lost+found')));
    assert.equal(
      [data, join(data, 'inner'), join(data, 'inner/mount')].map((path) => statSync(path).mode & 0o777),
      [0o750, 0o701, 0o705],
    );
    await takeBackRestore(world.ports.host, world.context);
    assert.equal(fingerprint(world.live), before);
    assert.not(world.hasTraces());
  } finally {
    execFileSync('umount', ['--lazy', join(data, 'inner/mount')]);
  }
});

test('what is mounted inside and left out by rule stays as it is, be it read-only or in a directory that is left out', async () => {
  const world = new World();
  const data = makeLive(world, 'data');
  const mounts = ['media', 'cache/deep', 'media/nested'].map((name) => join(data, name));
  for (const mount of mounts) {
    mkdirSync(mount, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'dockerctl-test', mount]);
    writeFileSync(join(mount, 'precious'), 'p');
  }
  writeFileSync(join(data, 'cache/beside'), 'b');
  try {
    execFileSync('mount', ['-o', 'remount,ro', mounts[0]!]);
    const before = fingerprint(world.live);
    const filter = { include: [], exclude: ['/cache/'], oneFileSystem: true, excludeCaches: false };
    world.sources.push(declared('data', { filter }));
    const source = simpleTree(world, 'data', 'restored');
    source.entries.push(entry('directory', `${data.slice(1)}/media`, { mode: 0o700 }));
    source.entries = sorted(source.entries);
    const { plan, run } = await world.prepare(world.repository.take([source]));
    assert.equal(
      plan.warnings,
      ['media', 'cache'].map((name) => `${data}/${name} stays as it is: backups leave it out`),
    );
    await run();
    for (const mount of mounts) assert.is(readFileSync(join(mount, 'precious'), 'utf8'), 'p');
    assert.is(readFileSync(join(data, 'cache/beside'), 'utf8'), 'b');
    assert.is(readFileSync(join(data, 'sub/file'), 'utf8'), 'restored');
    assert.not(existsSync(join(data, 'old')));
    await takeBackRestore(world.ports.host, world.context);
    assert.equal(fingerprint(world.live), before);
    assert.not(world.hasTraces());
  } finally {
    for (const mount of mounts.toReversed()) execFileSync('umount', ['--lazy', mount]);
  }
});

test('the state directory stays where it is, for the journal of the restore is in it', async () => {
  const world = new World();
  const data = makeLive(world, 'data');
  const stateDir = join(data, 'lib/state');
  const context = { ...world.context, stateDir };
  mkdirSync(join(stateDir, 'releases'), { recursive: true });
  writeFileSync(join(stateDir, 'releases/one'), 'known');
  const { ino } = statSync(stateDir);
  const source = simpleTree(world, 'data', 'restored');
  source.entries.push(
    entry('directory', `${data.slice(1)}/lib`),
    entry('directory', `${data.slice(1)}/lib/state`),
  );
  source.entries = sorted(source.entries);
  const request = { snapshot: 'latest', only: [], full: false, to: undefined };
  const ports = { ...world.ports, repository: world.repository.take([source]) };
  await (await prepareRestore(request, ports, context)).run();
  assert.is(readFileSync(join(data, 'sub/file'), 'utf8'), 'restored');
  assert.equal(
    [statSync(stateDir).ino, readFileSync(join(stateDir, 'releases/one'), 'utf8')],
    [ino, 'known'],
  );
  await takeBackRestore(ports.host, context);
  assert.is(readFileSync(join(data, 'old/file'), 'utf8'), 'what lives');
  assert.equal(
    [statSync(stateDir).ino, readFileSync(join(stateDir, 'releases/one'), 'utf8')],
    [ino, 'known'],
  );
});

test('a file that is mounted from elsewhere is refused before anything is done', async () => {
  const world = new World();
  makeLive(world, 'data');
  const file = join(world.live, 'data/mounted');
  writeFileSync(file, '');
  writeFileSync(join(world.directory, 'original'), 'x');
  execFileSync('mount', ['--bind', join(world.directory, 'original'), file]);
  try {
    const error = await failure(world.prepare(world.repository.take([simpleTree(world, 'data', 'x')])));
    assert.match(error.message, /is mounted there from elsewhere/);
  } finally {
    execFileSync('umount', [file]);
  }
});

test('too little room is told before anything is done', async () => {
  const world = new World();
  const source = simpleTree(world, 'data', 'x');
  source.entries.find(({ type }) => type === 'file')!.size = 2 ** 50;
  const error = await failure(world.prepare(world.repository.take([source])));
  assert.instance(error, NoSpaceError);
  assert.not(world.hasTraces());
});

test('trees that lead outside, repeat or contradict themselves are damage, and nothing is written', async () => {
  const outside = join(root, 'outside');
  mkdirSync(outside, { recursive: true });
  const hostile: Record<string, (path: string, repository: MemoryRepository) => Entry[]> = {
    climbing: (path, repository) => [
      entry('directory', path),
      repository.file(`${path}/../../outside/x`, 'x'),
    ],
    'another root': (path, repository) => [
      entry('directory', path),
      repository.file(`${outside.slice(1)}/x`, 'x'),
    ],
    'through a link': (path, repository) => [
      entry('directory', path),
      entry('symlink', `${path}/a`, { target: outside }),
      repository.file(`${path}/a/x`, 'x'),
    ],
    'through its own root': (path, repository) => [
      entry('symlink', path, { target: outside }),
      repository.file(`${path}/x`, 'x'),
    ],
    'in a file': (path, repository) => [
      entry('directory', path),
      repository.file(`${path}/a`, 'x'),
      repository.file(`${path}/a/x`, 'x'),
    ],
    twice: (path, repository) => [
      entry('directory', path),
      entry('symlink', `${path}/a`, { target: outside }),
      entry('directory', `${path}/a`),
      repository.file(`${path}/a/x`, 'x'),
    ],
    'out of order': (path, repository) => [
      entry('directory', path),
      repository.file(`${path}/b`, 'x'),
      repository.file(`${path}/a`, 'x'),
    ],
    'a hard link outside': (path) => [
      entry('directory', path),
      entry('file', `${path}/a`, { size: 1, hardlink: 'etc/passwd' }),
    ],
    'no entries of a directory': (path, repository) => [repository.file(`${path}/a/b`, 'x')],
  };
  for (const [name, make] of Object.entries(hostile)) {
    const world = new World();
    makeLive(world, 'data');
    const before = fingerprint(world.live);
    const path = join(world.live, 'data').slice(1);
    const source = { name: 'data', entries: make(path, world.repository), origin: { paths: [`/${path}`] } };
    const error = await failure(
      world.prepare(world.repository.take([source])).then((prepared) => prepared.run()),
    );
    assert.instance(error, DamagedError, `${name}: ${error.message}`);
    assert.equal(fingerprint(world.live), before, name);
    assert.not(world.hasTraces(), name);
  }
  assert.equal(readdirSync(outside), []);
});

test('the root of the host is never replaced', async () => {
  const world = new World();
  for (const path of ['/', '/etc/..', '//']) {
    const source = { name: 'all', entries: [entry('directory', '.')], origin: { paths: [path] } };
    assert.instance(await failure(world.prepare(world.repository.take([source]))), UsageError);
  }
});

test('--only takes what was asked for, and a source marked full waits for --full', async () => {
  const world = new World();
  const repository = world.repository.take([simpleTree(world, 'a', 'x'), simpleTree(world, 'b', 'x')]);
  const names = ({ plan }: PreparedRestore) => plan.sources.map(({ name }) => name);
  assert.equal(names(await world.prepare(repository, { only: ['b'] })), ['b']);
  world.sources.push(declared('a', { full: true }));
  const ports = { ...world.ports, repository };
  const request = { snapshot: 'latest', only: [], full: false, to: undefined };
  assert.equal(names(await prepareRestore(request, ports, world.context)), ['b']);
  assert.equal(names(await prepareRestore({ ...request, full: true }, ports, world.context)), ['a', 'b']);
  assert.equal(names(await prepareRestore({ ...request, only: ['a'] }, ports, world.context)), ['a']);
  assert.instance(await failure(world.prepare(repository, { only: ['c'] })), NotFoundError);
});

test('a missing image is told before anything is done', async () => {
  const world = new World();
  world.services = fakeServices([{ name: 'web', state: 'missing', imageAt: 'nowhere', image: 'shop/web:1' }]);
  const error = await failure(world.prepare(world.repository.take([simpleTree(world, 'a', 'x')])));
  assert.instance(error, NotFoundError);
  assert.match(error.message, /shop\/web:1/);
});

test('where the images of a damaged snapshot are spoilt and needed, that is told', async () => {
  const world = new World();
  world.services = fakeServices([{ name: 'web', state: 'missing', imageAt: 'nowhere', image: 'shop/web:1' }]);
  const images = {
    name: 'images',
    kind: 'images' as const,
    entries: [world.repository.file('index.json', '{}')],
  };
  world.repository.onContent = ({ path }) => {
    if (path === 'index.json') throw new DamagedError('spoilt');
  };
  const repository = world.repository.take([simpleTree(world, 'a', 'x'), images]);
  const error = await failure(world.prepare(repository, { skipDamaged: true }));
  assert.instance(error, NotFoundError);
  assert.match(error.message, /shop\/web:1, and those of the snapshot are damaged/);
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

test('two restores at once: the second is refused', async () => {
  const world = new World();
  const repository = world.repository.take([simpleTree(world, 'a', 'x')]);
  const [one, two] = [await world.prepare(repository), await world.prepare(repository)];
  const results = await Promise.allSettled([one.run(), two.run()]);
  assert.equal(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test.run();
