import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../src/repository/entry.ts';
import { checkedEntries } from '../../../src/restore/tree/checked-entries.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { entry } from '../memory-repository.ts';

async function check(entries: Entry[], roots: string[]): Promise<string[]> {
  async function* stream() {
    yield* entries;
  }
  const paths: string[] = [];
  for await (const { path } of checkedEntries(stream(), roots)) paths.push(path);
  return paths;
}

async function refused(entries: Entry[], roots: string[], fault: RegExp): Promise<void> {
  try {
    await check(entries, roots);
  } catch (error) {
    assert.instance(error, DamagedError);
    assert.match((error as Error).message, fault);
    return;
  }
  assert.unreachable(`accepted ${entries.map(({ path }) => JSON.stringify(path)).join(', ')}`);
}

const file = (path: string, rest: Partial<Entry> = {}) =>
  entry('file', path, { size: 1, chunks: ['0'], ...rest });
const directory = (path: string) => entry('directory', path);
const link = (path: string) => entry('symlink', path, { target: '/etc' });

test('trees that begin at their roots pass unchanged', async () => {
  const paths = ['etc/a', 'etc/a/b', 'etc/a/b/c', 'etc/a-b', 'var/x', 'var/x/y'];
  const entries = paths.map((path) => (/[cy]$/.test(path) ? file(path) : directory(path)));
  assert.equal(await check(entries, ['etc/a', 'etc/a-b', 'var/x']), paths);
});

test('a volume begins at its own root', async () => {
  assert.equal(await check([directory('.'), directory('a'), file('a/b'), file('c')], ['.']), [
    '.',
    'a',
    'a/b',
    'c',
  ]);
});

test('a path that is not below a root is refused', async () => {
  for (const path of ['etc/passwd', 'et', 'etc/aa', '.', 'etc']) {
    await refused([directory('etc/a'), file(path)], ['etc/a'], /comes twice or too late|in no directory/);
  }
  await refused([file('etc/passwd')], ['etc/a'], /in no directory/);
});

test('a path that climbs, is absolute or has empty parts is refused', async () => {
  for (const path of ['../x', 'a/../../x', '/etc/passwd', 'a//b', 'a/./b', 'a/', '', 'a/..', 'a\0b']) {
    await refused([directory('.'), directory('a'), file(path)], ['.'], /is not a path/);
  }
});

test('a path that comes twice or out of order is refused', async () => {
  await refused([directory('.'), file('a'), file('a')], ['.'], /comes twice/);
  await refused([directory('.'), file('b'), file('a')], ['.'], /comes twice/);
  await refused([directory('.'), directory('a'), file('b'), file('a/c')], ['.'], /comes twice/);
});

test('a file or a link is never the parent of anything', async () => {
  await refused([directory('.'), file('a'), file('a/b')], ['.'], /in no directory/);
  await refused([directory('.'), link('a'), file('a/passwd')], ['.'], /in no directory/);
  await refused([link('etc/a'), file('etc/a/passwd')], ['etc/a'], /in no directory/);
});

test('a hard link leads to an earlier path inside, and is no directory', async () => {
  for (const hardlink of ['../x', '/etc/shadow', 'b', 'c', '']) {
    await refused([directory('.'), file('b', { hardlink })], ['.'], /links to no earlier file/);
  }
  await refused(
    [directory('.'), { ...directory('b'), hardlink: 'a' }],
    ['.'],
    /a directory that is a hard link/,
  );
});

test('a hole of no length, as older versions wrote them of files that were filled meanwhile, spoils nothing', async () => {
  const holes: [number, number][] = [
    [0, 0],
    [4, 0],
  ];
  assert.equal(await check([file('a', { size: 10, holes })], ['a']), ['a']);
});

test('sizes and holes that contradict each other are refused', async () => {
  const holes: [number, number][][] = [
    [[0, 11]],
    [
      [5, 1],
      [4, 1],
    ],
    [[-1, 2]],
    [[2, -1]],
    [
      [0, 4],
      [3, 2],
    ],
  ];
  for (const list of holes) await refused([file('a', { size: 10, holes: list })], ['a'], /holes/);
  for (const size of [-1, 1.5, 2 ** 60, Number.NaN])
    await refused([file('a', { size })], ['a'], /without content/);
  await refused([entry('file', 'a', { size: 3 })], ['a'], /without content/);
});

test.run();
