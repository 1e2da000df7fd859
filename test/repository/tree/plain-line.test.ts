import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../src/repository/entry.ts';
import type { PlainStat } from '../../../src/repository/run/run.ts';
import { decodeLine, encodeLine } from '../../../src/repository/tree/line.ts';
import { isLineOf } from '../../../src/repository/tree/plain-line.ts';

const stat: PlainStat = {
  type: 'file',
  mode: 0o4755,
  uid: 0,
  gid: 4294967294,
  mtime: 1_769_824_800_123_456_789n,
  size: 1_234_567,
  inode: 77_001n,
  ctime: 1_769_824_801_000_000_001n,
};
const chunks = ['0123456789abcdef'.repeat(4), 'f'.repeat(64)];
const xattrs = {
  'security.selinux': Buffer.from('system_u:object_r:etc_t:s0\0'),
  'user.a-b': Buffer.alloc(0),
};

function entryOf(of: PlainStat, more: Partial<Entry> = {}): Entry {
  const { type, mode, uid, gid, mtime, ctime } = of;
  const base = {
    path: 'a/b',
    type: type as Entry['type'],
    mode,
    uid,
    gid,
    mtime,
    ctime,
    inode: Number(of.inode),
  };
  return { ...base, ...(type === 'file' && { size: of.size, chunks }), ...more };
}

/** Whether the line of the path `a/b`, in the middle of others, is said to be one of the stat. */
function isOne(line: string, of: PlainStat): boolean {
  const text = Buffer.from(`{"path":"a"}\n${line}\n{"path":"c"}\n`);
  const from = text.indexOf(line);
  return isLineOf(text, from + '{"path":"a/b'.length, from + Buffer.byteLength(line), of);
}

const kinds: [string, Entry, PlainStat][] = [
  ['a file', entryOf(stat), stat],
  ['an empty file', entryOf({ ...stat, size: 0 }, { chunks: [] }), { ...stat, size: 0 }],
  ['a file with attributes', entryOf(stat, { xattrs }), stat],
  ['a directory', entryOf({ ...stat, type: 'directory' }), { ...stat, type: 'directory', size: 4096 }],
  [
    'a directory with attributes',
    entryOf({ ...stat, type: 'directory' }, { xattrs }),
    { ...stat, type: 'directory' },
  ],
  ['a link', entryOf({ ...stat, type: 'symlink' }, { target: '../x y' }), { ...stat, type: 'symlink' }],
  ['a FIFO', entryOf({ ...stat, type: 'fifo' }), { ...stat, type: 'fifo' }],
  ['a file before 1970', entryOf({ ...stat, mtime: -1n }), { ...stat, mtime: -1n }],
];

for (const [kind, entry, of] of kinds) {
  test(`${kind} is known by its stat, and not by any other`, () => {
    const line = encodeLine(entry);
    assert.ok(isOne(line, of));
    for (const key of ['mode', 'uid', 'gid', 'mtime', 'inode', 'ctime'] as const) {
      const other = typeof of[key] === 'bigint' ? of[key] + 1n : (of[key] as number) + 1;
      assert.not(isOne(line, { ...of, [key]: other }), key);
    }
    for (const type of ['file', 'directory', 'symlink', 'fifo', 'character', 'block', 'socket']) {
      assert.is(isOne(line, { ...of, type }), type === of.type, type);
    }
    if (of.type === 'file') assert.not(isOne(line, { ...of, size: of.size + 1 }));
  });

  test(`${kind}: whichever byte of its line is another, it is not known or still is what the line says`, () => {
    const line = Buffer.from(encodeLine(entry));
    for (let at = '{"path":"a/b'.length; at < line.length; at++) {
      for (const byte of [0x00, 0x0a, 0x22, 0x30, 0x5c, 0x5d, 0x61, 0x7d, 0xff, line[at]! ^ 1]) {
        const other = Buffer.from(line);
        other[at] = byte;
        const text = other.toString('latin1');
        if (!isOne(text, of)) continue;
        const read = decodeLine(text, 'the test');
        for (const key of ['type', 'mode', 'uid', 'gid', 'mtime', 'ctime'] as const)
          assert.is(read[key], of[key], text);
        assert.is(read.inode, Number(of.inode));
        assert.is(read.hardlink ?? read.holes ?? read.flag, undefined, text);
      }
    }
  });
}

test('what a stat does not tell is left to who decodes the line', () => {
  const { ctime: _, ...undated } = entryOf(stat);
  const others: Entry[] = [
    entryOf(stat, { holes: [[0, 4096]] }),
    entryOf(stat, { flag: 'grew' }),
    { ...entryOf(stat), chunks: undefined as never, hardlink: 'a/a' },
    undated,
  ];
  for (const entry of others) assert.not(isOne(encodeLine(entry), stat), encodeLine(entry));
  const odd = entryOf({ ...stat, type: 'symlink' }, { target: '\xe9' });
  assert.not(isOne(encodeLine(odd), { ...stat, type: 'symlink' }));
});

test('a line that is cut anywhere is not known', () => {
  const line = encodeLine(entryOf(stat));
  for (let end = '{"path":"a/b'.length; end < line.length; end++) assert.not(isOne(line.slice(0, end), stat));
});

test.run();
