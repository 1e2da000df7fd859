import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry, EntryType } from '../../../src/repository/entry.ts';
import { decodeLine, encodeLine } from '../../../src/repository/tree/line.ts';
import { DamagedError } from '../../../src/support/errors.ts';

function linked(type: EntryType): Entry {
  return {
    ...{ path: 'sub/again', type, mode: 0o640, uid: 1, gid: 2, mtime: 3n, hardlink: 'first' },
    ...(type === 'symlink' && { target: 'nowhere' }),
    ...((type === 'character' || type === 'block') && { device: { major: 1, minor: 3 } }),
  };
}

test('a further name of a file of any kind but a directory is read back', () => {
  for (const type of ['file', 'symlink', 'fifo', 'character', 'block'] as const) {
    const entry = linked(type);
    assert.equal(decodeLine(encodeLine(entry), 'the test'), entry, type);
  }
});

test('whatever time a file system takes is read back: who may set it must not spoil all that is told beside it', () => {
  const [least, most] = [-(2n ** 63n) * 1_000_000_000n, 2n ** 63n * 1_000_000_000n - 1n];
  for (const mtime of [least, -1_500_000_000n, 9_999_999_999_999_000_000_000n, most]) {
    const entry = { ...linked('fifo'), mtime };
    assert.equal(decodeLine(encodeLine(entry), 'the test'), entry);
  }
  for (const mtime of [least - 1n, most + 1n]) {
    const line = encodeLine({ ...linked('fifo'), mtime });
    assert.throws(
      () => decodeLine(line, 'the test'),
      (error: Error) => error instanceof DamagedError,
    );
  }
});

test('a line that lies is damage, in whatever it lies', () => {
  const good = {
    ...{ path: 'sub/file', type: 'file', mode: '0644', uid: 0, gid: 0, mtime: '1.000000000', size: 9 },
    ...{
      chunks: ['a'.repeat(64)],
      holes: [
        [2, 3],
        [5, 4],
      ],
      xattrs: [{ name: 'user.a', value64: '' }],
    },
  };
  const decode = (told: object) => () => decodeLine(JSON.stringify({ ...good, ...told }), 'the test');
  decode({})();
  const pathsThatLeave = [
    '',
    '/etc',
    '..',
    'a/../../b',
    'a/..',
    './a',
    'a/./b',
    'a//b',
    'a/',
    'a\0b',
    undefined,
  ];
  const lies: object[] = [
    ...pathsThatLeave.flatMap((path) => [{ path }, ...(path === undefined ? [] : [{ hardlink: path }])]),
    ...[{ type: 'socket' }, { type: 'symlink' }, { type: undefined }],
    ...['9', '0644 ', 420, undefined].map((mode) => ({ mode })),
    ...['1', '1.5', 1, '1.0000000000', undefined].flatMap((time) => [
      { mtime: time },
      ...(time ? [{ ctime: time }] : []),
    ]),
    ...[-1, 1.5, '1', 2 ** 53].flatMap((n) => [
      { uid: n },
      { gid: n },
      { size: n },
      { inode: n },
      { device: [0, n] },
    ]),
    ...[undefined, 'a', ['a'.repeat(63)], ['A'.repeat(64)], [1]].map((chunks) => ({ chunks })),
    ...[
      'a',
      [[0, 10]],
      [[-1, 2]],
      [
        [2, 3],
        [4, 1],
      ],
      [
        [5, 4],
        [2, 3],
      ],
      [3],
    ].map((holes) => ({ holes })),
    ...['a', [{ value64: '' }], [{ name: 'plain', value64: '' }], [{ name: 'user.a' }]].map((xattrs) => ({
      xattrs,
    })),
  ];
  for (const told of lies)
    assert.throws(decode(told), (error: unknown) => error instanceof DamagedError, JSON.stringify(told));
});

test.run();
