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
import { prepareRestore } from '../../../src/restore/restore.ts';
import { takeBackRestore } from '../../../src/restore/unfinished.ts';
import { fingerprint } from '../fingerprint.ts';
import { entry, sorted } from '../memory-repository.ts';
import { declared, makeLive, simpleTree, World, wholeTree } from '../world.ts';

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
  const filter = { ...wholeTree, exclude: ['/cache/', '*.log'], excludeCaches: true };
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
  world.sources.push(declared('data', { filter: { ...wholeTree, include: ['/sub/file'] } }));
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
    const filter = { ...wholeTree, exclude: ['/cache/'], oneFileSystem: true };
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

test.run();
