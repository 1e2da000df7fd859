import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Seen, type WalkOptions, type WalkProblem, walkAll } from '../../../src/backup/walk/walk.ts';
import { walkInThread } from '../../../src/backup/walk/walk-in-thread.ts';
import { pathAt, toFsPath } from '../../../src/support/posix/byte-path.ts';
import { makeDeviceAt } from '../../../src/support/posix/make-node.ts';
import { currentDirectory, statAt } from '../../../src/support/posix/stat.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const options: WalkOptions = {
  include: [],
  exclude: ['left-out'],
  oneFileSystem: false,
  excludeCaches: false,
  neverEnter: new Set(),
  onProblem: (problem) => assert.unreachable(JSON.stringify(problem)),
};

/** 400 directories of 10 files, odd names among them, and one of everything. */
function tree(): string {
  const root = mkdtempSync(join(directory, 'tree-'));
  for (let d = 0; d < 400; d++) {
    mkdirSync(join(root, `d${d}`));
    for (let f = 0; f < 10; f++) writeFileSync(toFsPath(`${root}/d${d}/f${f}\xff\n`), `${d}`);
  }
  mkdirSync(join(root, 'empty/er'), { recursive: true });
  mkdirSync(join(root, 'left-out'));
  makeDeviceAt(currentDirectory, join(root, 'device'), 'block', 0o640, { major: 7, minor: 300 });
  return root;
}

function rootsOf(...paths: string[]) {
  return paths.map((path, i) => ({
    path: i === 0 ? '.' : `z${i}`,
    parent: dirname(path),
    name: path.slice(dirname(path).length + 1),
  }));
}

const [one, other] = [tree(), tree()];
const openFiles = () => readdirSync('/proc/self/fd').length;

/** A thread leaves descriptors of its own behind, once. */
for await (const _ of walkInThread(rootsOf(one), options));

test('a thread sees what the walk sees, exactly, over several roots', async () => {
  const roots = rootsOf(one, other);
  const before = openFiles();
  const plain = ({ path, name, stat }: Seen) => ({ path, name, stat });
  const seen: unknown[] = [];
  for await (const part of walkInThread(roots, options)) {
    for (const file of part) {
      assert.is(statAt(file.parent.descriptor, file.name).inode, file.stat.inode);
      seen.push(plain(file));
    }
  }
  const want: unknown[] = [];
  for (const file of walkAll(roots, options)) want.push(plain(file));
  assert.is(want.length, 2 * (1 + 400 * 11 + 3));
  assert.equal(seen, want);
  assert.is(openFiles(), before);
});

test('a directory stays open for as long as somebody holds it', async () => {
  const roots = rootsOf(one);
  const before = openFiles();
  const held: Seen[] = [];
  for await (const part of walkInThread(roots, options)) {
    for (const file of part) {
      if (!file.name.startsWith('f3')) continue;
      file.parent.retain();
      held.push(file);
    }
  }
  assert.is(openFiles(), before + 400);
  for (const { parent, name, stat } of held) {
    assert.is(statAt(currentDirectory, pathAt(parent.descriptor, name)).inode, stat.inode);
    parent.release();
  }
  assert.is(openFiles(), before);
});

test('left early, in the middle of a part or between two, it closes everything', async () => {
  const roots = rootsOf(one);
  const before = openFiles();
  for (const stopAfter of [1, 700, 1024, 3000]) {
    let count = 0;
    for await (const part of walkInThread(roots, options)) {
      for (const _ of part) if (++count === stopAfter) break;
      if (count >= stopAfter) break;
    }
    assert.is(openFiles(), before, `after ${stopAfter}`);
  }
});

test('problems arrive, a missing root among them', async () => {
  const server = createServer().listen(join(other, 'socket'));
  await new Promise((resolve) => server.on('listening', resolve));
  const problems: WalkProblem[] = [];
  const roots = rootsOf(other, '/no/such');
  const walk = walkInThread(roots, { ...options, onProblem: (problem) => problems.push(problem) });
  for await (const part of walk) for (const _ of part);
  server.close();
  assert.equal(problems, [
    { kind: 'socket', path: 'socket' },
    { kind: 'missing', path: 'z1', code: 'ENOENT' },
  ]);
});

test.run();
