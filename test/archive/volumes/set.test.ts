import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openVolumes } from '../../../src/archive/volumes/reader.ts';
import { groupVolumes, type VolumeSet } from '../../../src/archive/volumes/set.ts';
import { writeVolumes } from '../../../src/archive/volumes/writer.ts';
import { DamagedError, NotFoundError, UsageError } from '../../../src/support/errors.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
let count = 0;

function newDirectory(): string {
  count += 1;
  const directory = join(root, String(count));
  mkdirSync(directory);
  return directory;
}

function archive(size: number, seed = 1): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, i) => (i * seed + (i >> 8)) % 251));
}

/** In pieces that cross the borders of volumes. */
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 3000) yield bytes.subarray(at, at + 3000);
}

async function split(bytes: Buffer, limit = 16385, directory = newDirectory()): Promise<string[]> {
  return await writeVolumes(join(directory, 'shop.tar'), limit, pieces(bytes));
}

async function onlySet(paths: readonly string[]): Promise<VolumeSet> {
  const groups = await groupVolumes(paths);
  assert.is(groups.length, 1);
  assert.not.type(groups[0], 'string');
  return groups[0] as VolumeSet;
}

async function contentOf(set: VolumeSet): Promise<Buffer> {
  const opened = await openVolumes(set);
  try {
    return Buffer.concat(await Array.fromAsync(opened.stream()));
  } finally {
    await opened.close();
  }
}

async function failure<T extends Error>(
  type: new (...args: never[]) => T,
  promise: Promise<unknown>,
): Promise<T> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, type, String(error));
  return error as T;
}

test('volumes are smaller than the limit, and whole again in any order', async () => {
  const bytes = archive(40_000);
  const paths = await split(bytes);
  assert.equal(
    paths.map((path) => basename(path)),
    ['shop.tar.001', 'shop.tar.002', 'shop.tar.003', 'shop.tar.004'],
  );
  for (const path of paths) {
    assert.ok(statSync(path).size < 16385);
    assert.is(statSync(path).mode & 0o777, 0o600);
  }
  for (const order of [paths, paths.toReversed(), [2, 0, 3, 1].map((i) => paths[i]!)]) {
    assert.ok((await contentOf(await onlySet(order))).equals(bytes));
  }
});

test('the same archive gives the same volumes', async () => {
  const [first, second] = [await split(archive(20_000)), await split(archive(20_000))];
  for (const [i, path] of first.entries()) assert.ok(readFileSync(path).equals(readFileSync(second[i]!)));
});

test('an archive of exactly some volumes, of one volume, and of none at all', async () => {
  for (const size of [2 * 8192, 8192, 8193, 1, 0]) {
    const paths = await split(archive(size), 12289);
    assert.is(paths.length, Math.max(1, Math.ceil(size / 8192)));
    assert.ok((await contentOf(await onlySet(paths))).equals(archive(size)));
  }
});

test('any range can be read without joining them', async () => {
  const bytes = archive(40_000);
  const opened = await openVolumes(await onlySet(await split(bytes)));
  for (const [offset, length] of [
    [0, 1],
    [8191, 2],
    [8000, 20_000],
    [39_999, 1],
    [39_990, 100],
    [0, 40_000],
  ] as const) {
    const read = Buffer.concat(await Array.fromAsync(opened.seekable.range(offset, length)));
    assert.ok(read.equals(bytes.subarray(offset, offset + length)));
  }
  await opened.close();
});

test('volumes lie on several read-only disks, under other names; what is not given is looked for beside', async () => {
  const bytes = archive(40_000);
  const paths = await split(bytes);
  const disks = [newDirectory(), newDirectory()];
  for (const [i, path] of paths.entries()) copyFileSync(path, join(disks[i % 2]!, `part-${i}.00${9 - i}`));
  for (const disk of disks) chmodSync(disk, 0o500);
  const one = readdirSync(disks[0]!).map((name) => join(disks[0]!, name));
  const other = readdirSync(disks[1]!).map((name) => join(disks[1]!, name));
  assert.ok((await contentOf(await onlySet([...one, ...other]))).equals(bytes));
  assert.ok((await contentOf(await onlySet([one[0]!, other[0]!]))).equals(bytes));
});

test('missing volumes are named, and strangers told apart', async () => {
  const paths = await split(archive(40_000));
  const directory = newDirectory();
  const kept = [paths[1]!, paths[3]!].map((path) => {
    copyFileSync(path, join(directory, basename(path)));
    return join(directory, basename(path));
  });
  const lost = await failure(NotFoundError, groupVolumes(kept));
  assert.match(lost.message, /volumes 1, 3 of 4 are missing$/);
  assert.equal(lost.facts.missing, ['1', '3']);

  const stale = (await split(archive(40_000, 7)))[0]!;
  copyFileSync(stale, join(directory, 'shop.tar.001'));
  copyFileSync(paths[2]!, join(directory, 'shop.tar.003'));
  const all = readdirSync(directory).map((name) => join(directory, name));
  const mixed = await failure(NotFoundError, groupVolumes(all));
  assert.match(mixed.message, /are missing; |is missing; /);
  assert.match(mixed.message, /belong to another set$/);
});

test('two whole sets and a plain file are three inputs', async () => {
  const plain = join(newDirectory(), 'plain.tar');
  writeFileSync(plain, 'not a volume');
  const [a, b] = [await split(archive(30_000)), await split(archive(30_000, 3))];
  const groups = await groupVolumes([a[0]!, plain, b[1]!, ...a, b[0]!, '/nowhere', b[2]!]);
  assert.equal(
    groups.map((group) => (typeof group === 'string' ? group : group.name)),
    [a[0]!, plain, b[0]!, '/nowhere'],
  );
});

test('a volume that was cut short is refused before anything is read', async () => {
  const paths = await split(archive(40_000));
  writeFileSync(paths[2]!, readFileSync(paths[2]!).subarray(0, -1));
  assert.match(
    (await failure(DamagedError, groupVolumes(paths))).message,
    /003: volume 3 has 16383 bytes, should have/,
  );
});

test('a flipped byte anywhere in a volume is found', async () => {
  const paths = await split(archive(20_000));
  const whole = readFileSync(paths[1]!);
  for (let at = 0; at < whole.length; at += at < 400 ? 1 : 501) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x01;
    writeFileSync(paths[1]!, damaged);
    const outcome = await groupVolumes(paths)
      .then(async (groups) => {
        if (groups.length > 1) return 'a stranger';
        return (await contentOf(groups[0] as VolumeSet)).equals(archive(20_000)) ? 'harmless' : 'unnoticed';
      })
      .catch((error: unknown) => error);
    // Only the blanks at the end of a header carry nothing.
    const expected =
      at > 300 && at < 4096 ? outcome === 'harmless' || outcome instanceof DamagedError : false;
    const found =
      outcome instanceof DamagedError || outcome instanceof NotFoundError || outcome === 'a stranger';
    assert.ok(found || expected, `byte ${at}: ${outcome}`);
  }
});

test('nothing has a name before all volumes are whole', async () => {
  const directory = newDirectory();
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield archive(30_000);
    throw new Error('the engine went away');
  }
  const error = await failure(Error, writeVolumes(join(directory, 'shop.tar'), 16384, failing()));
  assert.is(error.message, 'the engine went away');
  assert.equal(readdirSync(directory), []);
});

test('a limit without room for payload is refused', async () => {
  await failure(UsageError, split(archive(10), 8192));
  assert.is((await split(archive(10), 8193)).length, 1);
});

test.run();
