import { closeSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, FailedError, messageOf } from '../../../src/support/errors.ts';
import { pathAt } from '../../../src/support/posix/byte-path.ts';
import { posixError } from '../../../src/support/posix/libc.ts';
import { openDirectoryAt } from '../../../src/support/posix/open.ts';
import { atPath, withPath } from '../../../src/support/posix/whole-path.ts';
import { failure } from '../rejects.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('what the system refuses by handle is told with the whole path, as text, and stays what it was', async () => {
  const handle = openSync(temporaryDirectory(), 'r');
  for (const refused of [
    () => openDirectoryAt(handle, 'config'),
    () => mkdirSync(pathAt(handle, 'config/below')),
  ]) {
    const error = await failure((async () => atPath('/etc/app\xff/config', refused))());
    assert.match(
      messageOf(error),
      /^ENOENT: no such file or directory, (openat|mkdir) '\/etc\/app\\xff\/config'$/,
    );
    assert.is(codeOf(error), 'ENOENT');
  }
  closeSync(handle);
});

test('what names no path at all gets it, also where node has no name for what it was', () => {
  const error = withPath(posixError(-constants.errno.EDQUOT, 'fsync'), '/srv/a');
  assert.is(messageOf(error), "EDQUOT: disk quota exceeded, fsync '/srv/a'");
  assert.is(codeOf(error), 'EDQUOT');
});

test('what names a whole path keeps it, and what is none of the system passes', () => {
  const whole = posixError(-constants.errno.EIO, 'openat', '/var/backup/pack');
  assert.is(withPath(whole, '/srv/a'), whole);
  const known = new FailedError('it is busy');
  assert.is(withPath(known, '/srv/a'), known);
  assert.is(
    atPath('/srv/a', () => 7),
    7,
  );
});

test.run();
