import { constants } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, isDiskFull, isUnreadable, messageOf } from '../../src/support/errors.ts';
import { posixError } from '../../src/support/posix/libc.ts';

const { EDQUOT, ESTALE, ENOENT, EBADMSG } = constants.errno;

/** As node throws it. */
const failed = (errno: number) => posixError(-errno, 'write', '/srv/backup');

test('a full quota is a full disk, and is called by its name, though node knows none for it', () => {
  assert.ok(isDiskFull(failed(EDQUOT)));
  assert.is(codeOf(failed(EDQUOT)), 'EDQUOT');
  assert.is(messageOf(failed(EDQUOT)), "EDQUOT: disk quota exceeded, write '/srv/backup'");
});

test('it is one too where node waits for the result, and then calls it unknown in other words', () => {
  const error = Object.assign(new Error('UNKNOWN: unknown error, write'), {
    code: 'UNKNOWN',
    errno: -EDQUOT,
    syscall: 'write',
  });
  assert.ok(isDiskFull(error));
  assert.is(messageOf(error), 'EDQUOT: disk quota exceeded, write');
});

test('so are a server that is gone, and a file system that is spoilt, which is damage', () => {
  assert.is(codeOf(failed(ESTALE)), 'ESTALE');
  assert.not.ok(isUnreadable(failed(ESTALE)));
  assert.ok(isUnreadable(failed(EBADMSG)));
  assert.ok(isUnreadable(failed(117)));
  assert.match(messageOf(failed(117)), /^EUCLEAN: structure needs cleaning, /);
});

test('what node has a name for keeps it, and what nobody has one for too', () => {
  assert.is(messageOf(failed(ENOENT)), failed(ENOENT).message);
  assert.is(codeOf(failed(4000)), 'Unknown system error -4000');
  assert.is(codeOf(undefined), undefined);
  assert.is(messageOf('cut'), 'cut');
});

test.run();
