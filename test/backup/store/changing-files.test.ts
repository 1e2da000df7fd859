import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../../src/repository/entry.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const home = temporaryDirectory();
const context = quietContext(join(home, 'state'));
const letters = 'abcdefghij';
const size = 2_000_000;

/**
 * Does one thing to the files of a directory again and again, on a thread of its own, until some work is done or has
 * failed. A file named after a letter holds nothing but that letter when it is whole.
 */
async function whileDisturbed<T>(directory: string, body: string, work: () => Promise<T>): Promise<T> {
  const worker = new Worker(
    `const { workerData: directory } = require('node:worker_threads');
     const fs = require('node:fs');
     const path = (name) => directory + '/' + name;
     const letters = '${letters}';
     const any = () => letters[Math.floor(Math.random() * letters.length)];
     const size = ${size};
     const act = () => { ${body} };
     const again = () => { try { act(); } catch (error) { if (error.code !== 'ENOENT') throw error; } setTimeout(again, 1); };
     again();`,
    { eval: true, workerData: directory },
  );
  try {
    return await work();
  } finally {
    await worker.terminate();
  }
}

interface Case {
  directory: string;
  repository: Repository;
  save(): Promise<Snapshot>;
}

async function prepare(name: string): Promise<Case> {
  const directory = join(home, name);
  mkdirSync(directory);
  for (const letter of letters) writeFileSync(join(directory, letter), letter.repeat(size));
  const repository = await openOrCreateRepository(join(home, `${name}-repository`), context);
  return { directory, repository, save: () => saveDirectories(repository, { files: directory }, context) };
}

async function filesOf(
  repository: Repository,
  snapshot: Snapshot,
): Promise<Map<string, Entry & { bytes: Buffer }>> {
  const files = new Map<string, Entry & { bytes: Buffer }>();
  for await (const entry of repository.entries(snapshot, 'files')) {
    if (entry.type !== 'file') continue;
    files.set(entry.path, { ...entry, bytes: withHoles(entry, await readAll(repository, snapshot, entry)) });
  }
  return files;
}

async function readAll(repository: Repository, snapshot: Snapshot, entry: Entry): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
}

function withHoles({ holes = [] }: Entry, content: Buffer): Buffer {
  return holes.reduce(
    (bytes, [at, length]) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length), bytes.subarray(at)]),
    content,
  );
}

/** Saves while files are disturbed and once more in peace: that snapshot must be exactly what lies there. */
async function saveDisturbed(
  name: string,
  body: string,
  check: (file: Entry & { bytes: Buffer }, directory: string) => void,
): Promise<void> {
  const { directory, repository, save } = await prepare(name);
  const snapshots = await whileDisturbed(directory, body, async () => [await save(), await save()]);
  for (const snapshot of snapshots) {
    assert.is(snapshot.complete, true, JSON.stringify(snapshot.sources[0]?.warnings));
    for (const file of (await filesOf(repository, snapshot)).values()) check(file, directory);
  }
  const quiet = await filesOf(repository, await save());
  for (const [path, { bytes, flag }] of quiet) {
    assert.is(flag, undefined);
    assert.ok(readFileSync(join(directory, path)).equals(bytes), path);
  }
  assert.equal((await repository.verify({ readData: true }, context)).damage, []);
  await repository.close();
}

function isOneLetter({ path, bytes }: { path: string; bytes: Buffer }): boolean {
  return bytes.every((byte) => byte === path.charCodeAt(0));
}

test('logs that grow are saved as what they were at some moment', async () => {
  await saveDisturbed(
    'growing',
    `const name = any(); fs.appendFileSync(path(name), name.repeat(10000));`,
    (file, directory) => {
      assert.is(file.size, file.bytes.length);
      assert.ok(isOneLetter(file) && file.bytes.length >= size, file.path);
      assert.ok(readFileSync(join(directory, file.path)).length >= file.bytes.length);
    },
  );
});

test('files that are replaced are saved as one version or the other, never as a mixture', async () => {
  await saveDisturbed(
    'replaced',
    `const name = any(); fs.writeFileSync(path('.new'), name.repeat(size + Math.floor(Math.random() * 1000)));
     fs.renameSync(path('.new'), path(name));`,
    (file) => {
      if (file.path === '.new' || file.flag !== undefined) return;
      assert.ok(isOneLetter(file) && file.bytes.length >= size, file.path);
    },
  );
});

test('files that are cut short, written over and unlinked spoil nothing but themselves', async () => {
  await saveDisturbed(
    'mangled',
    `const name = any();
     const roll = Math.random();
     if (roll < 0.3) fs.truncateSync(path(name), Math.floor(Math.random() * size));
     else if (roll < 0.6) fs.unlinkSync(path(name));
     else if (roll < 0.8) fs.writeFileSync(path(name), name.repeat(size));
     else { const file = fs.openSync(path(name), 'r+'); fs.writeSync(file, '!'.repeat(5000), Math.floor(Math.random() * size)); fs.closeSync(file); }`,
    ({ size: told, bytes }) => assert.is(told, bytes.length),
  );
});

/** What lies beside the directory that is saved: none of it may get in. */
const outside = join(home, 'outside');
const secret = 'secret '.repeat(1000);
mkdirSync(outside);
for (const name of ['secret', ...letters]) writeFileSync(join(outside, name), secret);

function holdsNoSecret({ path, bytes }: Entry & { bytes: Buffer }): void {
  assert.not.ok(bytes.includes('secret'), path);
}

test('files swapped for links and FIFOs are saved as one or the other, and nothing is read through a link', async () => {
  await saveDisturbed(
    'swapped',
    `const name = any();
     fs.renameSync(path(name), path('.kept'));
     if (Math.random() < 0.5) fs.symlinkSync('${outside}/secret', path(name));
     else require('node:child_process').execFileSync('mkfifo', [path(name)]);
     const until = Date.now() + Math.random() * 5;
     while (Date.now() < until);
     fs.renameSync(path('.kept'), path(name));`,
    (file) => {
      holdsNoSecret(file);
      if (file.path !== '.kept' && file.flag === undefined) assert.ok(isOneLetter(file), file.path);
    },
  );
});

test('directories renamed or swapped for links under the walk never lead outside', async () => {
  const { directory, repository, save } = await prepare('directories');
  for (const letter of letters) {
    mkdirSync(join(directory, `in-${letter}`, 'deep'), { recursive: true });
    for (const name of letters) {
      writeFileSync(join(directory, `in-${letter}`, name), name.repeat(size / 100));
      writeFileSync(join(directory, `in-${letter}`, 'deep', name), name.repeat(size / 100));
    }
  }
  const snapshots = await whileDisturbed(
    directory,
    `const name = 'in-' + any();
     fs.renameSync(path(name), path('moved'));
     fs.symlinkSync('${outside}', path(name));
     const until = Date.now() + Math.random() * 5;
     while (Date.now() < until);
     fs.unlinkSync(path(name));
     fs.renameSync(path('moved'), path(name));`,
    async () => [await save(), await save(), await save()],
  );
  for (const snapshot of snapshots) {
    const files = await filesOf(repository, snapshot);
    assert.ok(files.size > 100, `${files.size} files`);
    for (const file of files.values()) {
      holdsNoSecret(file);
      assert.ok(file.flag !== undefined || isLetterOf(file), file.path);
    }
  }
  assert.equal((await repository.verify({ readData: true }, context)).damage, []);
  await repository.close();
});

function isLetterOf({ path, bytes }: { path: string; bytes: Buffer }): boolean {
  return isOneLetter({ path: path.slice(path.lastIndexOf('/') + 1), bytes });
}

test.run();
