import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { DamagedError, FailedError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { quietContext } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { makeRepository } from './carry/exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const made = await makeRepository(root, context);

/** A repository as it may come on somebody's disk: one of its names is a link to something of ours. */
async function withLink(
  name: string,
  outside: string,
  use: (repository: Repository) => Promise<unknown>,
): Promise<void> {
  const directory = mkdtempSync(join(root, 'foreign-'));
  cpSync(made.directory, directory, { recursive: true });
  rmSync(join(directory, name), { recursive: true, force: true });
  symlinkSync(outside, join(directory, name));
  const repository = await openRepository(directory, context);
  try {
    await use(repository);
  } finally {
    await repository.close();
  }
}

for (const name of ['lock', 'readers.lock']) {
  test(`who finds a link where ${name} belongs writes nothing through it`, async () => {
    const outside = join(root, `precious-${name}`);
    writeFileSync(outside, 'precious');
    await withLink(name, outside, (repository) => {
      return rejects(() => repository.remove([made.snapshots[0]!.id], context), FailedError);
    });
    assert.is(readFileSync(outside, 'utf8'), 'precious');
  });
}

for (const name of ['tmp', 'blobs', 'blobs/sha256']) {
  test(`who writes to a repository in which ${name} is a link deletes nothing behind it`, async () => {
    const outside = mkdtempSync(join(root, 'ours-'));
    if (name === 'tmp') writeFileSync(join(outside, 'precious'), 'x');
    else cpSync(join(made.directory, name), outside, { recursive: true });
    const hidden = join(outside, name === 'blobs' ? 'sha256' : '.', 'a'.repeat(64));
    writeFileSync(hidden, 'needed elsewhere');
    const before = readdirSync(outside, { recursive: true });
    await withLink(name, outside, async (repository) => {
      await rejects(() => repository.remove([made.snapshots[0]!.id], context), DamagedError);
      await rejects(() => repository.repair(context), DamagedError);
      const options = { host: 'h', deployment: 'd', release: undefined };
      await rejects(() => repository.beginRun(options, context), DamagedError);
    });
    assert.equal(readdirSync(outside, { recursive: true }), before);
  });
}

test('a pipe where a blob belongs is damage, and nobody waits for it', async () => {
  const directory = mkdtempSync(join(root, 'pipes-'));
  cpSync(made.directory, directory, { recursive: true });
  for (const name of readdirSync(join(directory, 'blobs', 'sha256'))) {
    const path = join(directory, 'blobs', 'sha256', name);
    rmSync(path);
    execFileSync('mkfifo', [path]);
  }
  const repository = await openRepository(directory, context);
  assert.equal(await repository.snapshots(), []);
  assert.ok((await repository.verify({ readData: true }, context)).damage.length > 0);
  await repository.close();
});

test('a repository that is reached through a link is one all the same', async () => {
  const link = join(root, 'link');
  symlinkSync(made.directory, link);
  const repository = await openRepository(link, context);
  assert.is((await repository.repair(context)).snapshots, 1);
  await repository.close();
});

test.run();
