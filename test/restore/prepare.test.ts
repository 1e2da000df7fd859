import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../src/repository/entry.ts';
import type { PreparedRestore } from '../../src/restore/restore.ts';
import { takeBackRestore } from '../../src/restore/unfinished.ts';
import {
  DamagedError,
  FailedError,
  NoSpaceError,
  NotFoundError,
  UsageError,
} from '../../src/support/errors.ts';
import { failure, rejects } from '../support/rejects.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { fakeServices } from './fake-services.ts';
import { fingerprint } from './fingerprint.ts';
import { entry, type MemoryRepository } from './memory-repository.ts';
import { declared, makeLive, simpleTree, World, wholeTree } from './world.ts';

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

test('what is mounted read-only is refused before anything is done, unless nothing of it is replaced', async () => {
  const world = new World();
  const disk = makeLive(world, 'disk');
  execFileSync('mount', ['--bind', disk, disk]);
  execFileSync('mount', ['-o', 'remount,bind,ro', disk]);
  try {
    for (const name of ['disk/old', 'disk/new/app']) {
      const repository = world.repository.take([simpleTree(world, name, 'x')]);
      const { message } = await rejects(() => world.prepare(repository), FailedError);
      assert.is(message, `restoring to ${disk}: it is mounted read-only`);
    }
    await world.prepare(world.repository.take([simpleTree(world, 'app', 'x')]));
  } finally {
    execFileSync('umount', [disk]);
  }
});

test('a hard link into what is mounted becomes a file of its own; what is no file cannot', async () => {
  const world = new World();
  const path = join(world.live, 'data');
  mkdirSync(join(path, 'disk'), { recursive: true });
  execFileSync('mount', ['--bind', join(path, 'disk'), join(path, 'disk')]);
  const text = 'the same '.repeat(100_000);
  const linked = (make: (root: string) => Entry[]) =>
    world.tree('data', (root) => [
      entry('directory', root),
      entry('directory', `${root}/disk`),
      ...make(root),
    ]);
  try {
    const files = linked((root) => [
      world.repository.file(`${root}/a`, text, { mode: 0o640, uid: 12 }),
      entry('file', `${root}/disk/b`, { hardlink: `${root}/a`, size: text.length, mode: 0o640, uid: 12 }),
    ]);
    await (await world.prepare(world.repository.take([files]))).run();
    assert.is(readFileSync(join(path, 'disk/b'), 'utf8'), text);
    const { nlink, uid, mode } = statSync(join(path, 'disk/b'));
    assert.equal([nlink, uid, mode & 0o777], [1, 12, 0o640]);
    const pipes = linked((root) => [
      entry('fifo', `${root}/a`),
      entry('fifo', `${root}/disk/b`, { hardlink: `${root}/a` }),
    ]);
    const { message } = await failure((await world.prepare(world.repository.take([pipes]))).run());
    assert.match(message, new RegExp(`EXDEV: .*, link '${path}/disk/b'$`));
    assert.is(readFileSync(join(path, 'disk/b'), 'utf8'), text);
  } finally {
    execFileSync('umount', [join(path, 'disk')]);
  }
});

test('what a restore left of which the state directory knows nothing any more is told, for data may be in it', async () => {
  const world = new World();
  makeLive(world, 'data');
  const repository = world.repository.take([simpleTree(world, 'data', 'x'), simpleTree(world, 'new/a', 'x')]);
  const { kept } = await (await world.prepare(repository)).run();
  const strays = async () =>
    (await world.prepare(repository)).plan.warnings.filter((line) => line.includes('not known here'));
  assert.equal(await strays(), []);
  rmSync(join(world.context.stateDir, 'restores'), { recursive: true });
  const left = basename(dirname(kept[0]!));
  assert.equal(
    await strays(),
    [world.live, join(world.live, 'new')].map(
      (place) =>
        `${place}/${left} is of a restore that is not known here any more: what that replaced is in old, and stays until you remove it`,
    ),
  );
});

test('what staging itself takes is part of the need', async () => {
  const world = new World();
  const disk = join(world.live, 'disk');
  mkdirSync(disk);
  const source = world.tree('disk/file', (path) => [world.repository.file(path, 'x')]);
  const { plan } = await world.prepare(world.repository.take([source]));
  assert.is(plan.space[0]?.inodes.need, 4);
  assert.is(plan.space[0]?.bytes.need, 4 * 4096);
});

test('a mounted file that backups leave out stays, and everything around it is replaced and can come back', async () => {
  const world = new World();
  world.sources.push(declared('data', { filter: { ...wholeTree, exclude: ['old/mounted'] } }));
  const live = makeLive(world, 'data');
  const file = join(live, 'old/mounted');
  writeFileSync(file, '');
  writeFileSync(join(world.directory, 'original'), 'mounted');
  execFileSync('mount', ['--bind', join(world.directory, 'original'), file]);
  try {
    const { run } = await world.prepare(world.repository.take([simpleTree(world, 'data', 'restored')]));
    await run();
    assert.is(readFileSync(join(live, 'sub/file'), 'utf8'), 'restored');
    assert.not(existsSync(join(live, 'old/file')));
    assert.is(readFileSync(file, 'utf8'), 'mounted');
    await takeBackRestore(world.ports.host, world.context);
    assert.equal(readdirSync(live), ['old']);
    assert.is(readFileSync(join(live, 'old/file'), 'utf8'), 'what lives');
    assert.is(readFileSync(file, 'utf8'), 'mounted');
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
  assert.match(error.advice ?? '', 'The old data stays');
  assert.not(world.hasTraces());
  const beside = join(world.directory, 'beside');
  const advised =
    (await failure(world.prepare(world.repository.take([source]), { to: beside }))).advice ?? '';
  assert.match(advised, 'name another directory with --to');
});

test('trees that lead outside, repeat or contradict themselves are damage, and nothing is written', async () => {
  const outside = join(temporaryDirectory(), 'outside');
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
  assert.equal(names(await world.prepare(repository)), ['b']);
  assert.equal(names(await world.prepare(repository, { full: true })), ['a', 'b']);
  assert.equal(names(await world.prepare(repository, { only: ['a'] })), ['a']);
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

test.run();
