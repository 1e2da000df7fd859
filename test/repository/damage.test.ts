import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository, openRepository } from '../../src/repository/open.ts';
import type { VerifyReport } from '../../src/repository/repository.ts';
import { DamagedError } from '../../src/support/errors.ts';
import { silent } from '../../src/support/progress.ts';
import { flip } from '../support/flip.ts';
import { quietContext, saveDirectories } from '../support/save-directory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { withRepository } from '../support/with-repository.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const files = join(root, 'files');
const [golden, directory] = [join(root, 'golden'), join(root, 'repository')];
mkdirSync(files);
for (let i = 0; i < 3; i++) writeFileSync(join(files, `file-${i}`), `content of file ${i}`);
const made = await openOrCreateRepository(golden, context);
const first = await saveDirectories(made, { files }, context);
writeFileSync(join(files, 'later'), 'a file of the second snapshot');
const second = await saveDirectories(made, { files }, context);
await made.close();
cpSync(golden, directory, { recursive: true });
const paths = (readdirSync(directory, { recursive: true }) as string[])
  .filter((path) => statSync(join(directory, path)).isFile() && !/lock$|^reserve$/.test(path))
  .map((path) => join(directory, path));

test.before.each(() => {
  rmSync(directory, { recursive: true });
  cpSync(golden, directory, { recursive: true });
});

async function verify(): Promise<VerifyReport> {
  return withRepository(directory, context, (repository) => repository.verify({ readData: true }, context));
}

const kinds = new Map(paths.map((path) => [path, findKind(path)]));

/** Of a repository with one snapshot. */
function indexIn(repository: string): string {
  const blobs = join(repository, 'blobs', 'sha256');
  const manifest = readdirSync(blobs)
    .map((name) => readFileSync(join(blobs, name), 'latin1'))
    .find((text) => text.startsWith('{"schemaVersion"'));
  return join(blobs, /dockerctl\.index\.v1[^{}]*"digest":"sha256:(\w+)"/.exec(manifest!)![1]!);
}

/** Which of its kinds a blob is, from the manifests that name it. */
function findKind(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const naming = new RegExp(`dockerctl\\.(\\w+)\\.v1[^{}]*"digest":"sha256:${name}"`);
  for (const other of paths) {
    const [, kind] = naming.exec(readFileSync(other, 'latin1')) ?? [];
    if (kind !== undefined) return kind;
  }
  return /index\.json|oci-layout/.exec(name)?.[0] ?? 'manifest';
}

/** Runs `check` for each file of the repository, which `spoil` has changed, and puts it back. */
async function forEachFile(
  spoil: (path: string) => void,
  check: (path: string) => Promise<void>,
): Promise<void> {
  for (const path of paths) {
    const before = readFileSync(path);
    spoil(path);
    await check(path);
    writeFileSync(path, before);
  }
}

test('the golden repository is whole', async () => {
  assert.equal((await verify()).damage, []);
  assert.equal([...new Set(kinds.values())].sort(), [
    'index',
    'index.json',
    'manifest',
    'oci-layout',
    'pack',
    'snapshot',
    'tree',
  ]);
});

test('damage names the snapshots it spoils, and the files', async () => {
  await forEachFile(
    (path) => flip(path),
    async (path) => {
      const { damage } = await verify();
      const spoiled = damage.flatMap(({ snapshots }) => snapshots);
      const kind = kinds.get(path);
      if (kind === 'index.json' || kind === 'oci-layout') return;
      assert.ok(
        spoiled.includes(second.id) || spoiled.includes(first.id),
        `${kind}: ${JSON.stringify(damage)}`,
      );
      if (kind !== 'pack') return;
      const named = damage.flatMap((each) => each.files);
      assert.ok(named.includes('files:later') || named.includes('files:file-1'), JSON.stringify(damage));
    },
  );
});

test('a file that is missing or cut is found', async () => {
  for (const spoil of [rmSync, (path: string) => truncateSync(path, statSync(path).size - 1)]) {
    await forEachFile(spoil, async (path) => {
      const { damage } = await verify();
      assert.ok(damage.length > 0, kinds.get(path));
    });
  }
  assert.equal((await verify()).damage, []);
});

test('without index.json, or with a wrong one, every snapshot is found all the same', async () => {
  const path = join(directory, 'index.json');
  const before = readFileSync(path, 'utf8');
  const wrong = before.replace(/"digest":"sha256:...../, '"digest":"sha256:00000');
  for (const content of [undefined, '', '{', '[]', wrong]) {
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
    const repository = await openRepository(directory, context);
    const ids = (await repository.snapshots()).map(({ id }) => id);
    assert.equal(ids, [first.id, second.id], String(content));
    await repository.close();
  }
});

test('damaged content is never passed on', async () => {
  const pack = paths.find((path) => kinds.get(path) === 'pack')!;
  const before = readFileSync(pack);
  for (let at = 10; at < before.length - 20; at += 3) {
    const bytes = Buffer.from(before);
    bytes[at]! ^= 0x10;
    writeFileSync(pack, bytes);
    const repository = await openRepository(directory, context);
    for await (const entry of repository.entries(second, 'files')) {
      if (entry.type !== 'file') continue;
      try {
        const content = Buffer.concat(await Array.fromAsync(repository.content(second, entry))).toString();
        assert.match(content, /^(content of file \d|a file of the second snapshot)$/);
      } catch (error) {
        assert.instance(error, DamagedError);
      }
    }
    await repository.close();
  }
});

test('the next run stores what a lost pack held anew, so that its snapshot is whole', async () => {
  for (const path of paths) if (kinds.get(path) === 'pack') rmSync(path);
  const repository = await openRepository(directory, context);
  const third = await saveDirectories(repository, { files }, context);
  const { damage } = await repository.verify({ readData: true }, context);
  assert.ok(damage.length > 0);
  assert.not.ok(
    damage.some(({ snapshots }) => snapshots.includes(third.id)),
    JSON.stringify(damage),
  );
  for await (const entry of repository.entries(third, 'files')) {
    if (entry.type === 'file') await Array.fromAsync(repository.content(third, entry));
  }
  await repository.close();
});

test('what only a damaged index tells of is stored anew, and whole, before any check finds it', async () => {
  const unchecked = join(root, 'unchecked');
  const changing = join(unchecked, 'files');
  cpSync(files, changing, { recursive: true });
  const warnings: string[] = [];
  const progress = { ...silent, warn: (message: string) => warnings.push(message) };
  const now = () => new Date(Date.now() + 60_000); // What was changed in the moment before is read again in any case.
  const warned = { ...quietContext(join(unchecked, 'state')), progress, now };
  const repository = await openOrCreateRepository(join(unchecked, 'repository'), warned);
  const { id } = await saveDirectories(repository, { files: changing }, warned);
  flip(indexIn(repository.directory));
  writeFileSync(join(changing, 'later'), 'one file is another, the rest is as it was');
  const next = await saveDirectories(repository, { files: changing }, warned);
  assert.match(warnings.join('\n'), /^what was stored .* index is damaged: .* not what its name says$/);
  const { damage } = await repository.verify({ readData: true }, warned);
  assert.equal(
    damage.map(({ snapshots }) => snapshots),
    [[id]],
  );
  assert.is(next.sources[0]?.files, 4);
  await repository.close();
});

test('what a check found damaged is not built on, and repair mends older snapshots with what was stored again', async () => {
  const repository = await openRepository(directory, context);
  for (const path of paths.filter((each) => kinds.get(each) === 'pack')) flip(path, 40);
  assert.is((await repository.verify({}, context)).damage.length, 2);
  const third = await saveDirectories(repository, { files }, context);
  const again = await repository.verify({ readData: true }, context);
  assert.not.ok(again.damage.some(({ snapshots }) => snapshots.includes(third.id)));
  rmSync(join(directory, 'index.json'));
  const report = await repository.repair(context);
  assert.equal(report.mended, [first.id, second.id]);
  assert.equal(report.spoiled, []);
  assert.is(report.setAside.length, 2);
  assert.equal((await repository.verify({ readData: true }, context)).damage, []);
  assert.equal(
    (await repository.snapshots()).map(({ id }) => id),
    [first.id, second.id, third.id],
  );
  const nothing = { setAside: [], mended: [], rebuilt: [], givenUp: [], spoiled: [] };
  assert.equal(await repository.repair(context), { snapshots: 3, ...nothing });
  await repository.close();
});

test('that a copy is whole does not make forget what is damaged here, nor the other way round', async () => {
  const copy = join(root, 'copy');
  cpSync(directory, copy, { recursive: true });
  flip(paths.find((path) => kinds.get(path) === 'pack')!);
  assert.ok((await verify()).damage.length > 0);
  const whole = await openRepository(copy, context);
  assert.equal((await whole.verify({ readData: true }, context)).damage, []);
  const kept = await saveDirectories(whole, { files }, context);
  assert.is(kept.added.blobs, 0, 'the copy is built on');
  await whole.close();
  const here = await openRepository(directory, context);
  await saveDirectories(here, { files }, context);
  assert.equal((await here.verify({ readData: true }, context)).damage, [], 'what is damaged here is not');
  await here.close();
});

test('repair says which snapshots it cannot mend, and deletes nothing', async () => {
  const lost = paths.filter((path) => kinds.get(path) === 'tree')[0]!;
  const bytes = readFileSync(lost);
  writeFileSync(lost, 'nonsense');
  const repository = await openRepository(directory, context);
  const report = await repository.repair(context);
  assert.is(report.spoiled.length, 1);
  assert.is(readFileSync(`${lost}.damaged`, 'utf8'), 'nonsense');
  writeFileSync(lost, bytes);
  assert.equal((await repository.repair(context)).spoiled, []);
  await repository.close();
});

test.run();
