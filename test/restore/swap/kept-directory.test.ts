import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readMetadata, writeMetadata } from '../../../src/restore/swap/kept-directory.ts';
import { metadataOptions } from '../../../src/restore/tree/metadata.ts';
import { setXattr } from '../../../src/support/posix/xattrs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = join(temporaryDirectory(), 'mounted');

/** rwx for its owner, user 1000 and as mask; r-x for group and others. Source: linux/posix_acl_xattr.h. */
const acl = Buffer.from(
  '0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff',
  'hex',
);

test('a directory that stays loses ACLs and attributes of users that it had not, and gets its mode all the same', () => {
  mkdirSync(directory, { mode: 0o750 });
  setXattr(directory, 'user.kept', Buffer.from('before'));
  const before = readMetadata(directory);
  setXattr(directory, 'user.kept', Buffer.from('after'));
  setXattr(directory, 'user.new', Buffer.from('x'));
  setXattr(directory, 'trusted.volume-id', Buffer.from('id'));
  setXattr(directory, 'system.posix_acl_access', acl);
  setXattr(directory, 'system.posix_acl_default', acl);
  writeMetadata(directory, before, metadataOptions([]));
  const xattrs = { ...before.xattrs, 'trusted.volume-id': Buffer.from('id').toString('base64') };
  assert.equal(readMetadata(directory), { ...before, xattrs });
});

test.run();
