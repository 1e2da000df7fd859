import { randomBytes } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../src/repository/entry.ts';
import { openOrCreateRepository, openRepository } from '../../src/repository/open.ts';
import type { Repository } from '../../src/repository/repository.ts';
import type { Snapshot } from '../../src/repository/snapshot/snapshot.ts';
import { NotFoundError, UsageError } from '../../src/support/errors.ts';
import { quietContext, saveDirectories } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));

/** A source with small and large files, links, holes, an empty file and a name that is not UTF-8. */
function makeSource(name: string): string {
  const directory = join(root, name);
  mkdirSync(join(directory, 'sub'), { recursive: true });
  writeFileSync(join(directory, 'small'), 'hello');
  writeFileSync(join(directory, 'empty'), '');
  writeFileSync(join(directory, 'sub', 'large'), randomBytes(9_000_000));
  writeFileSync(join(directory, 'sub', 'text'), 'the same line again\n'.repeat(200_000));
  writeFileSync(Buffer.from(`${directory}/odd-\xff\n'"\\`, 'latin1'), 'odd');
  linkSync(join(directory, 'small'), join(directory, 'sub', 'hardlink'));
  symlinkSync('../small', join(directory, 'sub', 'link'));
  writeFileSync(join(directory, 'sparse'), 'begin');
  truncateSync(join(directory, 'sparse'), 5_000_000);
  return directory;
}

async function readAll(
  repository: Repository,
  snapshot: Snapshot,
  source: string,
): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of repository.entries(snapshot, source)) entries.set(entry.path, entry);
  return entries;
}

async function bytesOf(repository: Repository, snapshot: Snapshot, entry: Entry): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
}

test('what was saved is read back, and the second run stores nothing', async () => {
  const source = makeSource('round');
  const repository = await openOrCreateRepository(join(root, 'repository'), context);
  const first = await saveDirectories(repository, { files: source }, context);
  assert.ok(first.complete);
  const entries = await readAll(repository, first, 'files');
  assert.is(entries.get('small')?.size, 5);
  assert.is(entries.get('sub/hardlink')?.hardlink, 'small');
  assert.is(entries.get('sub/link')?.target, '../small');
  assert.ok(entries.has(`odd-\xff\n'"\\`));
  for (const path of ['small', 'empty', 'sub/large', 'sub/text']) {
    const bytes = await bytesOf(repository, first, entries.get(path)!);
    assert.ok(bytes.equals(readFileSync(join(source, path))), path);
  }
  const sparse = entries.get('sparse')!;
  assert.is(sparse.size, 5_000_000);
  assert.ok((await bytesOf(repository, first, sparse)).length < 10_000);
  assert.ok((entries.get('sub/large')?.chunks?.length ?? 0) > 2);

  const second = await saveDirectories(repository, { files: source }, context);
  assert.equal(second.added, { bytes: 0, blobs: 0 });
  assert.is(second.predecessor, first.id);
  assert.is(second.sources[0]?.newBytes, 0);
  const report = await repository.verify({ readData: true }, context);
  assert.equal(report.damage, []);
  assert.is(report.snapshots, 2);
  await repository.close();
});

test('a changed file is stored anew, its neighbours are not', async () => {
  const source = makeSource('changing');
  const repository = await openOrCreateRepository(join(root, 'changing-repository'), context);
  await saveDirectories(repository, { files: source }, context);
  writeFileSync(join(source, 'small'), 'HELLO');
  rmSync(join(source, 'empty'));
  writeFileSync(join(source, 'new'), 'new');
  const second = await saveDirectories(repository, { files: source }, context);
  assert.is(second.sources[0]?.newBytes, 8);
  const entries = await readAll(repository, second, 'files');
  assert.is((await bytesOf(repository, second, entries.get('small')!)).toString(), 'HELLO');
  assert.is((await bytesOf(repository, second, entries.get('sub/text')!)).length, 4_000_000);
  assert.is(entries.has('empty'), false);
  const [first] = await repository.snapshots();
  const before = await readAll(repository, first!, 'files');
  assert.is((await bytesOf(repository, first!, before.get('small')!)).toString(), 'hello');
  assert.equal((await repository.verify({ readData: true }, context)).damage, []);
  await repository.close();
});

test('content is stored once, whichever source and run it comes from', async () => {
  const repository = await openOrCreateRepository(join(root, 'shared-repository'), context);
  const [one, two] = [makeSource('one'), join(root, 'two')];
  const first = await saveDirectories(repository, { one }, context);
  mkdirSync(two);
  writeFileSync(join(two, 'copy'), readFileSync(join(one, 'sub', 'large')));
  const second = await saveDirectories(repository, { one, two }, context);
  assert.is(second.sources[1]?.newBytes, 0);
  const copy = (await readAll(repository, second, 'two')).get('copy')!;
  assert.ok((await bytesOf(repository, second, copy)).equals(readFileSync(join(one, 'sub', 'large'))));
  assert.ok(first.added.bytes > 9_000_000);
  const run = await repository.beginRun({ host: 'here', deployment: 'another', release: undefined }, context);
  assert.is(
    (await run.commit()).predecessor,
    undefined,
    'those of another deployment are none to compare with',
  );
  assert.is((await saveDirectories(repository, { one }, context)).predecessor, second.id);
  assert.equal((await repository.verify({ readData: true }, context)).damage, []);
  await repository.close();
});

test('a stream becomes chunks like a file of the same bytes', async () => {
  const repository = await openOrCreateRepository(join(root, 'stream-repository'), context);
  const bytes = randomBytes(7_000_000);
  const file = join(root, 'streamed');
  mkdirSync(file);
  writeFileSync(join(file, 'same'), bytes);
  const saved = await saveDirectories(repository, { file }, context);
  const want = (await readAll(repository, saved, 'file')).get('same')?.chunks;
  const run = await repository.beginRun({ host: 'here', deployment: 'test', release: undefined }, context);
  const writer = await run.beginSource({ name: 'dump', title: 'Dump', kind: 'dump', origin: {} });
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += 77_777) yield bytes.subarray(at, at + 77_777);
  }
  const { chunks, size } = await writer.storeStream(pieces());
  assert.equal(chunks, want);
  assert.is(size, bytes.length);
  await run.abandon();
  assert.is((await repository.snapshots()).length, 1);
  await repository.close();
});

test('snapshots are found by unique beginnings, and latest is the newest complete one', async () => {
  const repository = await openOrCreateRepository(join(root, 'found-repository'), context);
  const source = makeSource('found');
  const complete = await saveDirectories(repository, { files: source }, context);
  const run = await repository.beginRun({ host: 'here', deployment: 'test', release: undefined }, context);
  const writer = await run.beginSource({ name: 'files', title: 'Files', kind: 'paths', origin: {} });
  writer.fail('something was not there');
  await writer.end();
  const incomplete = await run.commit();
  assert.is(incomplete.complete, false);
  assert.is((await repository.find('latest')).id, complete.id);
  const found = await repository.find(incomplete.id.slice(7, 20));
  assert.is(found.id, incomplete.id);
  assert.equal(found.sources[0]?.warnings, ['something was not there']);
  const begin = [complete, incomplete].map(({ id }) => id.slice(7, 11));
  const unknown = ['0123', '4567', '89ab'].find((name) => !begin.includes(name))!;
  await repository.find(unknown).then(
    () => assert.unreachable(),
    (error) => assert.instance(error, NotFoundError),
  );
  await repository.find('').then(
    () => assert.unreachable(),
    (error) => assert.instance(error, NotFoundError),
  );
  await repository.close();
});

test('a repository whose creation was killed is created all the same, and nothing is left of the first attempt', async () => {
  const directory = join(root, 'half-made');
  mkdirSync(join(directory, 'blobs', 'sha256'), { recursive: true });
  writeFileSync(join(directory, '.index.json.0123456789ab.tmp'), '{');
  await (await openOrCreateRepository(directory, context)).close();
  assert.not.ok(readdirSync(directory).some((name) => name.endsWith('.tmp')));
});

test('a directory with other files in it never becomes a repository', async () => {
  const directory = makeSource('operators-own');
  await openOrCreateRepository(directory, context).then(
    () => assert.unreachable(),
    (error) => {
      assert.instance(error, UsageError);
    },
  );
  await openRepository(directory, context).then(
    () => assert.unreachable(),
    (error) => {
      assert.instance(error, NotFoundError);
    },
  );
  assert.is(readFileSync(join(directory, 'small'), 'utf8'), 'hello');
});

test.run();
