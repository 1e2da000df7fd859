import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../src/repository/entry.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import { fitsLine } from '../../../src/repository/tree/fits-line.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const plain: Entry = {
  path: 'file',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0n,
  size: 0,
  chunks: [],
};
const manyXattrs = Object.fromEntries(
  Array.from({ length: 80 }, (_, i) => [`user.${i}`, new Uint8Array(64 << 10)]),
);

test('a file with more attributes than a snapshot can tell is saved without them, and spoils no other', async () => {
  const root = temporaryDirectory();
  const context = quietContext(join(root, 'state'));
  const repository = await openOrCreateRepository(join(root, 'repository'), context);
  const about = {
    host: 'here',
    deployment: 'test',
    release: undefined,
    recipients: [],
    signingKey: undefined,
  };
  const run = await repository.beginRun(about, context);
  const source = { name: 'files', title: 'Files', kind: 'paths' as const, origin: {} };
  const writer = await run.beginSource(source);
  await writer.add({ ...plain, path: 'a', xattrs: manyXattrs });
  await writer.add({ ...plain, path: 'b' });
  const { complete, warnings } = await writer.end();
  const snapshot = await run.commit();
  assert.not.ok(complete);
  assert.match(warnings.join('\n'), /^a: is saved without its extended attributes/);
  const entries = await Array.fromAsync(repository.entries(snapshot, 'files'));
  assert.equal(
    entries.map(({ path, xattrs }) => [path, xattrs]),
    [
      ['a', undefined],
      ['b', undefined],
    ],
  );
  await repository.close();
});

test('three terabytes of any file can be told, and not what nobody could read back', () => {
  const chunks = (count: number) => Array(count).fill('0'.repeat(64));
  assert.ok(fitsLine({ ...plain, chunks: chunks(3 << 20) }));
  assert.not.ok(fitsLine({ ...plain, chunks: chunks(4 << 20) }));
  assert.ok(fitsLine({ ...plain, path: `${'x'.repeat(255)}/`.repeat(16) }));
});

test.run();
