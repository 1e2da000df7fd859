import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity } from '../../../src/repository/age/keys.ts';
import { PlainCache } from '../../../src/repository/seal/plain-cache.ts';
import type { Store } from '../../../src/repository/seal/store.ts';
import { loadCatalog } from '../../../src/repository/snapshot/catalog.ts';
import { packsOf } from '../../../src/repository/snapshot/stored.ts';
import type { Context } from '../../../src/support/context.ts';
import { InterruptedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { withRepository } from '../../support/with-repository.ts';
import { makeRepository } from '../carry/exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const { directory } = await makeRepository(root, context, { snapshots: 6, recipients: [generateIdentity()] });
const store: Store = { directory, recipients: [], identities: [], cache: undefined };
const { stored } = await loadCatalog(store);
for (const pack of packsOf(stored)) rmSync(join(directory, 'blobs', 'sha256', pack.slice(7)));

const verify = (during: Context) =>
  withRepository(directory, context, (repository) => repository.verify({ remember: false }, during));

/** Every reading of what this host remembers of a sealed blob, which it does for each that it reads. */
const reads: string[] = [];
let onRead = () => {};
const read = PlainCache.prototype.read;
PlainCache.prototype.read = function (sealed) {
  reads.push(sealed);
  onRead();
  return read.call(this, sealed);
};

test('however many packs are missing, every index and every part of a tree is read once to name the files', async () => {
  const { damage } = await verify(context);
  assert.is(damage.length, 6);
  for (const { snapshots, files } of damage) assert.ok(snapshots.length > 0 && files.length > 0);
  const shared = damage.find(({ snapshots }) => snapshots.length === stored.length);
  assert.equal(shared?.files.toSorted(), ['files:own', 'files:shared']);
  assert.equal(reads, [...new Set(reads)]);
});

test('an interruption is heard while files are named', async () => {
  const stopping = new AbortController();
  onRead = () => stopping.abort();
  reads.length = 0;
  await rejects(() => verify({ ...context, signal: stopping.signal }), InterruptedError);
  assert.ok(reads.length < 3, String(reads.length));
});

test.run();
