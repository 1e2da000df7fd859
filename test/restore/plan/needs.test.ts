import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { expectSpace, needOf } from '../../../src/restore/plan/needs.ts';
import { NoSpaceError } from '../../../src/support/errors.ts';
import { entry } from '../memory-repository.ts';

const enough = { need: 1, free: 1 };

test('a file takes whole blocks of what is not a hole, and another name of one nothing', () => {
  assert.equal(needOf(entry('file', 'f', { size: 4097 })), { bytes: 8192, inodes: 1 });
  assert.equal(needOf(entry('file', 'f', { size: 2 ** 40, holes: [[1, 2 ** 40 - 1]] })), {
    bytes: 4096,
    inodes: 1,
  });
  assert.equal(needOf(entry('directory', 'd')), { bytes: 4096, inodes: 1 });
  assert.equal(needOf(entry('symlink', 'l', { target: 'x' })), { bytes: 0, inodes: 1 });
  assert.equal(needOf(entry('file', 'g', { size: 5, hardlink: 'f' })), { bytes: 0, inodes: 0 });
});

test('the first file system that has too few bytes or inodes is named; one that makes inodes as it goes has enough', () => {
  const endless = { need: 9, free: undefined };
  expectSpace([{ directory: '/srv', bytes: enough, inodes: endless }], false);
  const lacks = (need: Parameters<typeof expectSpace>[0][number], message: string) =>
    assert.throws(
      () => expectSpace([{ directory: '/', bytes: enough, inodes: enough }, need], false),
      (error: Error) => error instanceof NoSpaceError && error.message === message,
    );
  lacks(
    { directory: '/srv', bytes: { need: 8192, free: 4096 }, inodes: enough },
    'restoring to /srv: needs 8.0 KiB, and 4.0 KiB are free',
  );
  lacks(
    { directory: '/srv', bytes: enough, inodes: { need: 7, free: 4 } },
    'restoring to /srv: needs 7 inodes, and 4 inodes are free',
  );
});

test.run();
