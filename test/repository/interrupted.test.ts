import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateIdentity } from '../../src/repository/age/keys.ts';
import { openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { PlainCache } from '../../src/repository/seal/plain-cache.ts';
import type { Context } from '../../src/support/context.ts';
import { InterruptedError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { makeRepository } from './carry/exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const identity = generateIdentity();

/** What a host remembers of a sealed blob it reads for each that it reads. */
const read = PlainCache.prototype.read;
let reads = 0;
let onRead = () => {};
PlainCache.prototype.read = function (sealed) {
  reads++;
  onRead();
  return read.call(this, sealed);
};

/** Interrupts the work while it reads the first tree or index; afterwards it is done as if nothing had been. */
async function interruptReading(
  directory: string,
  work: (repository: Repository, context: Context) => Promise<unknown>,
): Promise<void> {
  const repository = await openRepository(directory, context, { identities: [identity] });
  try {
    const stopping = new AbortController();
    reads = 0;
    onRead = () => stopping.abort();
    await rejects(() => work(repository, { ...context, signal: stopping.signal }), InterruptedError);
    assert.ok(reads < 6, `${reads} were read`);
    onRead = () => {};
    await work(repository, context);
  } finally {
    await repository.close();
  }
}

test('removing snapshots hears an interruption between one tree and the next', async () => {
  const { directory } = await makeRepository(root, context, { snapshots: 8, recipients: [identity] });
  await interruptReading(directory, (repository, during) => repository.remove([], during));
});

test('so does a repair, and the next one does the rest', async () => {
  const made = await makeRepository(root, context, { snapshots: 8, recipients: [identity] });
  const lost = made.snapshots[3]!.id.slice('sha256:'.length);
  rmSync(join(made.directory, 'blobs', 'sha256', lost));
  await interruptReading(made.directory, (repository, during) => repository.repair(during));
  const repository = await openRepository(made.directory, context, { identities: [identity] });
  assert.is((await repository.snapshots()).length, 8);
  assert.equal((await repository.verify({}, context)).damage, []);
  await repository.close();
});

test.run();
