import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry, EntryType } from '../../../src/repository/entry.ts';
import { decodeLine, encodeLine } from '../../../src/repository/tree/line.ts';

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

test.run();
