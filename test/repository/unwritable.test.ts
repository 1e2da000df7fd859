/** A repository of which single files may not be changed, not even by root. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { FailedError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { quietContext, saveDirectories } from '../support/save-directory.ts';
import { mountExt4 } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const files = join(root, 'files');
mkdirSync(files);
const disk = mountExt4(join(root, 'disk'), { mebibytes: 24, inodes: 200 });
test.after(disk.remove);

/** While nobody may change or remove one file. */
async function withImmutable(path: string, act: () => Promise<void>): Promise<void> {
  execFileSync('chattr', ['+i', path]);
  try {
    await act();
  } finally {
    execFileSync('chattr', ['-i', path]);
  }
}

function save(repository: Repository) {
  writeFileSync(join(files, 'random'), randomBytes(100_000));
  return saveDirectories(repository, { files }, context);
}

async function idsIn(repository: Repository): Promise<string[]> {
  return (await repository.snapshots()).map(({ id }) => id);
}

test('a snapshot of which only index.json could not be told is there, and the next one needs no hand', async () => {
  const directory = join(disk.directory, 'index');
  const repository = await openOrCreateRepository(directory, context);
  const first = await save(repository);
  await withImmutable(join(directory, 'index.json'), async () => {
    const error = await rejects(() => save(repository), FailedError);
    assert.match(error.message, 'EPERM');
    assert.match(error.advice ?? '', 'lsattr');
  });
  const [before, ...committed] = await idsIn(repository);
  assert.is(before, first.id);
  const last = await save(repository);
  assert.equal(await idsIn(repository), [first.id, ...committed, last.id]);
  assert.equal((await repository.verify({ readData: true }, context)).damage, []);
  assert.equal(readdirSync(join(directory, 'tmp')), []);
  assert.ok(
    JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')).manifests.length === 2 + committed.length,
  );
  await repository.close();
});

test('a file that cannot be deleted is told of, and keeps no other from going', async () => {
  const directory = join(disk.directory, 'removal');
  const repository = await openOrCreateRepository(directory, context);
  const [first] = [await save(repository), await save(repository)];
  const blobs = join(directory, 'blobs', 'sha256');
  const needed = new Set(
    (await repository.outgoing(await repository.find('latest'))).blobs.map(({ digest }) => digest),
  );
  const doomed = readdirSync(blobs).filter(
    (name) => !needed.has(`sha256:${name}`) && !readFileSync(join(blobs, name)).includes('schemaVersion'),
  );
  assert.ok(doomed.length > 2);
  await withImmutable(join(blobs, doomed[0]!), async () => {
    const error = await rejects(() => repository.remove([first.id], context), FailedError);
    assert.match(error.message, /^deleting what no snapshot needs from .*EPERM/);
    assert.equal(
      doomed.filter((name) => existsSync(join(blobs, name))),
      [doomed[0]],
    );
    assert.is((await idsIn(repository)).length, 1);
    assert.equal((await repository.verify({}, context)).damage, []);
  });
  const { blobs: swept } = await repository.remove([], context);
  assert.is(swept, 1);
  await repository.close();
});

test.run();
