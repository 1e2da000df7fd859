import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Seen, type WalkOptions, type WalkProblem, walk } from '../../../src/backup/walk/walk.ts';
import { comparePaths } from '../../../src/repository/entry.ts';
import { toFsPath } from '../../../src/support/posix/byte-path.ts';
import { makeFifoAt } from '../../../src/support/posix/make-node.ts';
import { currentDirectory, identityOf, statAt } from '../../../src/support/posix/stat.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();

const everything: WalkOptions = {
  include: [],
  exclude: [],
  oneFileSystem: false,
  excludeCaches: false,
  neverEnter: new Set(),
  onProblem: (problem) => assert.unreachable(JSON.stringify(problem)),
};

/** A directory with these files, made anew; a name that ends with `/` is a directory. */
function tree(names: readonly string[]): string {
  const root = join(mkdtempSync(join(directory, 'tree-')), 'root');
  mkdirSync(root);
  for (const name of names) {
    const path = toFsPath(`${root}/${name}`);
    mkdirSync(toFsPath(dirname(`${root}/${name}x`)), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(path, name, 'latin1');
  }
  return root;
}

function seenIn(root: string, options: Partial<WalkOptions> = {}): Seen[] {
  return [...walk({ path: '.', parent: dirname(root), name: 'root' }, { ...everything, ...options })];
}

function pathsIn(root: string, options: Partial<WalkOptions> = {}): string[] {
  return seenIn(root, options).map(({ path }) => path);
}

test('what a restore stages or keeps is passed by', () => {
  assert.equal(pathsIn(tree(['a', '.dockerctl-restore-0123abcd/old/a', 'sub/.dockerctl-restore-1/new/x'])), [
    '.',
    'a',
    'sub',
  ]);
});

test('everything is visited once, in the order of a tree', () => {
  const names = ['a/b/c', 'a!', 'a', '-', '!x', 'é', 'z/', '\xff\xfe', 'line\nbreak', '.hidden/.x'].filter(
    (name) => name !== 'a',
  );
  const paths = pathsIn(tree(names));
  assert.equal(paths, [
    '.',
    '!x',
    '-',
    '.hidden',
    '.hidden/.x',
    'a',
    'a/b',
    'a/b/c',
    'a!',
    'line\nbreak',
    'z',
    'é',
    '\xff\xfe',
  ]);
  assert.equal([...paths].sort(comparePaths), paths);
});

test('paths in the tree begin with the root they were given', () => {
  const root = tree(['d/f']);
  const path = root.slice(1);
  const seen = [...walk({ path, parent: dirname(root), name: 'root' }, everything)];
  assert.equal(
    seen.map((file) => file.path),
    [path, `${path}/d`, `${path}/d/f`],
  );
});

test('a root may be a single file', () => {
  const root = tree(['f']);
  const seen = [...walk({ path: 'etc/f', parent: root, name: 'f' }, everything)];
  assert.equal(
    seen.map(({ path, stat }) => [path, stat.type]),
    [['etc/f', 'file']],
  );
});

test('links are seen, not followed, also where a directory was a moment ago', () => {
  const root = tree(['a/f', 'b/secret']);
  symlinkSync('b', join(root, 'link'));
  const problems: WalkProblem[] = [];
  const paths: string[] = [];
  for (const seen of walk(
    { path: '.', parent: dirname(root), name: 'root' },
    { ...everything, onProblem: (problem) => problems.push(problem) },
  )) {
    paths.push(seen.path);
    if (seen.path !== 'a') continue;
    renameSync(join(root, 'a'), join(root, '..', 'moved'));
    symlinkSync('b', join(root, 'a'));
  }
  assert.equal(paths, ['.', 'a', 'b', 'b/secret', 'link']);
  assert.equal(problems, [{ kind: 'unreadable', path: 'a', code: 'ENOTDIR' }]);
});

test('a missing root, a file that vanishes and a socket are told of', async () => {
  const problems: WalkProblem[] = [];
  const onProblem = (problem: WalkProblem) => problems.push(problem);
  assert.equal([...walk({ path: 'no/such', parent: '/no', name: 'such' }, { ...everything, onProblem })], []);
  assert.equal(
    [...walk({ path: 'gone', parent: directory, name: 'gone' }, { ...everything, onProblem })],
    [],
  );
  const root = tree(['a', 'b']);
  const server = createServer().listen(join(root, 's'));
  await new Promise((resolve) => server.on('listening', resolve));
  for (const { path } of walk(
    { path: '.', parent: dirname(root), name: 'root' },
    { ...everything, onProblem },
  )) {
    if (path === 'a') rmSync(join(root, 'b'));
  }
  server.close();
  assert.equal(problems, [
    { kind: 'missing', path: 'no/such', code: 'ENOENT' },
    { kind: 'missing', path: 'gone', code: 'ENOENT' },
    { kind: 'vanished', path: 'b', code: 'ENOENT' },
    { kind: 'socket', path: 's' },
  ]);
});

test('FIFOs are seen without waiting for a writer', () => {
  const root = tree([]);
  makeFifoAt(currentDirectory, join(root, 'pipe'), 0o600);
  assert.equal(
    seenIn(root).map(({ stat }) => stat.type),
    ['directory', 'fifo'],
  );
});

test('what is excluded is not entered; what is included is found with the directories on the way', () => {
  const root = tree([
    'a/keep.pp',
    'a/b/c/keep.pp',
    'a/drop',
    'cache/keep.pp',
    'empty/',
    'wanted/x',
    'wanted/y/z',
  ]);
  assert.equal(pathsIn(root, { exclude: ['/cache', '*.pp', 'y/'] }), [
    '.',
    'a',
    'a/b',
    'a/b/c',
    'a/drop',
    'empty',
    'wanted',
    'wanted/x',
  ]);
  assert.equal(pathsIn(root, { include: ['*.pp', '/wanted/'], exclude: ['/cache', 'z'] }), [
    '.',
    'a',
    'a/b',
    'a/b/c',
    'a/b/c/keep.pp',
    'a/keep.pp',
    'wanted',
    'wanted/x',
    'wanted/y',
  ]);
  assert.equal(pathsIn(root, { include: ['z'] }), ['.', 'wanted', 'wanted/y', 'wanted/y/z']);
});

test('of a cache directory only its tag is kept, and only if it is a real one', () => {
  const root = tree(['cache/CACHEDIR.TAG', 'cache/x', 'fake/CACHEDIR.TAG', 'fake/x']);
  writeFileSync(
    join(root, 'cache/CACHEDIR.TAG'),
    'Signature: 8a477f597d28d172789f06886806bc55\n# made by a test',
  );
  assert.equal(pathsIn(root, { excludeCaches: true }), [
    '.',
    'cache',
    'cache/CACHEDIR.TAG',
    'fake',
    'fake/CACHEDIR.TAG',
    'fake/x',
  ]);
  assert.ok(pathsIn(root).includes('cache/x'), 'unless told to leave caches out');
});

test('a directory never to enter is seen empty', () => {
  const root = tree(['repository/blob', 'x']);
  const repository = identityOf(statAt(currentDirectory, join(root, 'repository')));
  assert.equal(pathsIn(root, { neverEnter: new Set([repository]) }), ['.', 'repository', 'x']);
});

test('another file system is entered unless told otherwise', () => {
  const root = tree(['mount/']);
  const mount = join(root, 'mount');
  execFileSync('mount', ['-t', 'tmpfs', 'none', mount]);
  try {
    writeFileSync(join(mount, 'f'), '');
    assert.equal(pathsIn(root), ['.', 'mount', 'mount/f']);
    assert.equal(pathsIn(root, { oneFileSystem: true }), ['.', 'mount']);
  } finally {
    execFileSync('umount', [mount]);
  }
});

test('what the kernel mounts below a root is left out but for its directory, and told; named itself it is taken', () => {
  const root = tree(['kept', 'proc/', 'system/', 'devices/', 'memory/']);
  const mounts = { proc: 'proc', system: 'sysfs', devices: 'devtmpfs', memory: 'tmpfs' };
  for (const [name, type] of Object.entries(mounts))
    execFileSync('mount', ['-t', type, 'none', join(root, name)]);
  try {
    writeFileSync(join(root, 'memory', 'f'), '');
    const told: string[] = [];
    const onProblem = ({ kind, path }: WalkProblem) => void told.push(`${kind} ${path}`);
    assert.equal(pathsIn(root, { onProblem }), [
      '.',
      'devices',
      'kept',
      'memory',
      'memory/f',
      'proc',
      'system',
    ]);
    assert.equal(told, ['kernel devices', 'kernel proc', 'kernel system']);
    told.length = 0;
    assert.equal(pathsIn(root, { onProblem, include: ['kept'] }), ['.', 'kept']);
    assert.equal(told, [], 'nothing in there was wanted');
    const named = walk({ path: '.', parent: root, name: 'proc' }, everything);
    assert.equal([named.next().value?.path, named.next().done], ['.', false]);
    named.return();
  } finally {
    for (const name of Object.keys(mounts)) execFileSync('umount', [join(root, name)]);
  }
});

test('a single file that is mounted from another file system counts as one', () => {
  const root = tree(['mount/', 'bound', 'own', 'same']);
  const mount = join(root, 'mount');
  execFileSync('mount', ['-t', 'tmpfs', 'none', mount]);
  try {
    writeFileSync(join(mount, 'f'), '');
    execFileSync('mount', ['--bind', join(mount, 'f'), join(root, 'bound')]);
    execFileSync('mount', ['--bind', join(root, 'own'), join(root, 'same')]);
    assert.equal(pathsIn(root), ['.', 'bound', 'mount', 'mount/f', 'own', 'same']);
    assert.equal(pathsIn(root, { oneFileSystem: true }), ['.', 'mount', 'own', 'same']);
  } finally {
    for (const name of ['bound', 'same', 'mount']) execFileSync('umount', [join(root, name)]);
  }
});

test('a file of an overlay is no mount, though its device is not that of its directory', () => {
  const root = tree(['layers/', 'merged/']);
  const [layers, merged] = [join(root, 'layers'), join(root, 'merged')];
  execFileSync('mount', ['-t', 'tmpfs', 'none', layers]);
  try {
    for (const name of ['upper', 'work']) mkdirSync(join(layers, name));
    const lower = dirname(tree(['f']));
    const where = `lowerdir=${lower},upperdir=${layers}/upper,workdir=${layers}/work,xino=off`;
    execFileSync('mount', ['-t', 'overlay', '-o', where, 'none', merged]);
    try {
      const seen = [
        ...walk({ path: '.', parent: root, name: 'merged' }, { ...everything, oneFileSystem: true }),
      ];
      assert.equal(
        seen.map(({ path }) => path),
        ['.', 'root', 'root/f'],
      );
      assert.is.not(seen[2]?.stat.device, seen[0]?.stat.device);
    } finally {
      execFileSync('umount', [merged]);
    }
  } finally {
    execFileSync('umount', [layers]);
  }
});

test('no directory stays open, whether the walk ends or is left early', () => {
  const root = tree(['a/b/c/d', 'a/e']);
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const before = openFiles();
  seenIn(root);
  for (const { path } of walk({ path: '.', parent: dirname(root), name: 'root' }, everything)) {
    if (path === 'a/b/c') break;
  }
  assert.is(openFiles(), before);
});

test('a directory stays open for as long as somebody holds it', () => {
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const root = tree(['a/b/c', 'a/e', 'f']);
  const before = openFiles();
  const held: Seen[] = [];
  for (const seen of walk({ path: '.', parent: dirname(root), name: 'root' }, everything)) {
    if (!['a/b/c', 'a/e'].includes(seen.path)) continue;
    seen.parent.retain();
    held.push(seen);
  }
  assert.is(openFiles(), before + 2);
  for (const { parent, name, stat } of held) {
    assert.is(statAt(parent.descriptor, name).inode, stat.inode);
    parent.release();
  }
  assert.is(openFiles(), before);
});

test.run();
