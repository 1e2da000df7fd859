import { constants } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openingFailed } from '../../src/archive/opening-failed.ts';
import { DamagedError, FailedError, NotFoundError, UsageError } from '../../src/support/errors.ts';
import { posixError } from '../../src/support/posix/libc.ts';

const { EACCES, EIO, EMFILE, ENOENT, ESTALE } = constants.errno;
const failed = (errno: number) => openingFailed('/media/old.tar', posixError(-errno, 'open'));

test('who misspelt a name, or may not read it, can do something about that', () => {
  assert.instance(failed(ENOENT), NotFoundError);
  assert.instance(failed(EACCES), UsageError);
});

test('what the disk does not give is damage, and what the system refuses is neither that nor a mistake', () => {
  for (const errno of [EIO, ESTALE]) assert.instance(failed(errno), DamagedError);
  const refused = failed(EMFILE) as FailedError;
  assert.instance(refused, FailedError);
  assert.is(refused.message, '/media/old.tar: cannot be read (EMFILE)');
  assert.match(refused.advice!, 'ulimit -n');
});

test.run();
