import { closeSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pathAt } from '../../../src/support/posix/byte-path.ts';
import { openDirectoryAt } from '../../../src/support/posix/open.ts';
import { currentDirectory } from '../../../src/support/posix/stat.ts';
import { getXattr, listXattrs, removeXattr, setXattr } from '../../../src/support/posix/xattrs.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const directory = temporaryDirectory();

test('attributes of a path come back byte for byte, sorted by name', () => {
  const path = join(directory, 'path');
  writeFileSync(path, '');
  assert.equal(listXattrs(path), []);
  const value = Uint8Array.from([0, 1, 255, 0]);
  setXattr(path, 'user.zeta', value);
  setXattr(path, 'user.alpha', new Uint8Array());
  assert.equal(listXattrs(path), ['user.alpha', 'user.zeta']);
  assert.equal(getXattr(path, 'user.zeta'), value);
  assert.equal(getXattr(path, 'user.alpha'), new Uint8Array());
});

test('an attribute that is not there is undefined, and can be taken away', () => {
  const path = join(directory, 'gone');
  writeFileSync(path, '');
  setXattr(path, 'user.a', Uint8Array.of(1));
  removeXattr(path, 'user.a');
  assert.is(getXattr(path, 'user.a'), undefined);
  assert.throws(() => removeXattr(path, 'user.a'), /ENODATA/);
});

test('an open file and a name in an open directory work as a path does', () => {
  const path = join(directory, 'handle');
  writeFileSync(path, '');
  const file = openSync(path, 'r+');
  setXattr(file, 'user.a', Uint8Array.of(7));
  assert.equal(listXattrs(file), ['user.a']);
  assert.equal(getXattr(file, 'user.a'), Uint8Array.of(7));
  removeXattr(file, 'user.a');
  assert.equal(listXattrs(file), []);
  closeSync(file);
  const parent = openDirectoryAt(currentDirectory, directory);
  setXattr(pathAt(parent, 'handle'), 'user.b', Uint8Array.of(8));
  assert.equal(listXattrs(path), ['user.b']);
  closeSync(parent);
});

test('a link has attributes of its own', () => {
  writeFileSync(join(directory, 'target'), '');
  const link = join(directory, 'link');
  symlinkSync('target', link);
  setXattr(link, 'trusted.mark', Uint8Array.of(1));
  assert.equal(listXattrs(link), ['trusted.mark']);
  assert.equal(listXattrs(join(directory, 'target')), []);
});

test('a capability survives', () => {
  const path = join(directory, 'capable');
  writeFileSync(path, '');
  const netBind = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  setXattr(path, 'security.capability', netBind);
  assert.equal(Buffer.from(getXattr(path, 'security.capability') ?? []), netBind);
});

test.run();
