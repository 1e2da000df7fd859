import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../../src/engine/engine.ts';
import { type SaveRequest, saveImages } from '../../../src/releases/save/save.ts';
import { largestFile, leastSize } from '../../../src/releases/save/space.ts';
import { FailedError, NoSpaceError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { docker113 } from '../../archive/fixtures/eras.ts';
import { fixtureImage } from '../../archive/fixtures/images.ts';
import { mountTmpfs, type SmallDisk } from '../../support/small-disk.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { engineOfEra } from '../era-engine.ts';

const root = temporaryDirectory();
const mebibyte = 2 ** 20;
/** Six mebibytes of digits, which become three. */
const noise = await fixtureImage({
  references: ['shop/noise:1'],
  contents: [4, 2].map((size) =>
    randomBytes(size * mebibyte)
      .toString('hex')
      .slice(0, size * mebibyte),
  ),
});
const text = await fixtureImage({ references: ['shop/text:1'], contents: ['a line\n'.repeat(mebibyte)] });

/** Runs `work` on a disk of 20 MiB where an older bundle lies. */
async function onSmallDisk(name: string, work: (disk: SmallDisk, path: string) => Promise<void>) {
  const disk = mountTmpfs(join(root, name), { mebibytes: 20, inodes: 100 });
  try {
    const path = join(disk.directory, 'out', 'shop.tar');
    mkdirSync(join(disk.directory, 'out'));
    writeFileSync(path, 'an older bundle');
    await work(disk, path);
  } finally {
    disk.remove();
  }
}

async function saving(engine: Engine, path: string, request: Partial<SaveRequest>): Promise<unknown> {
  const context = { progress: silent, signal: new AbortController().signal, now: () => new Date(0) };
  const target = { kind: 'file', path } as const;
  const defaults = { images: ['shop/noise:1'], format: 'tar', target, tool: 'dockerctl test' } as const;
  const level = request.format === undefined || request.format === 'tar' ? undefined : 1;
  return await saveImages(engine, { ...defaults, level, ...request }, { ...context, stateDir: root }).catch(
    (error: unknown) => error,
  );
}

function mustBeAsBefore(path: string, thrown: unknown): void {
  assert.instance(thrown, NoSpaceError);
  assert.equal(readdirSync(join(path, '..')), ['shop.tar']);
  assert.is(readFileSync(path, 'utf8'), 'an older bundle');
}

test('a disk that is surely too small is found out before the engine is asked for a byte', async () => {
  await onSmallDisk('early', async (disk, path) => {
    const engine = engineOfEra(docker113, [noise]);
    const untouched = { ...engine, images: { ...engine.images, save: () => assert.unreachable() } };
    disk.leaveFree(5 * mebibyte);
    const plain = await saving(untouched as unknown as Engine, path, { format: 'tar' });
    mustBeAsBefore(path, plain);
    assert.match((plain as Error).message, /needs at least 6\.\d MiB in .*, and 5\.0 MiB are free/);
    disk.leaveFree(mebibyte / 2);
    mustBeAsBefore(path, await saving(untouched as unknown as Engine, path, { format: 'tar.zst' }));
  });
});

for (const [what, free] of [
  ['layers are set aside', 2],
  ['the bundle is written', 5],
] as const) {
  test(`a disk that is full while ${what} keeps the older bundle and nothing else`, async () => {
    await onSmallDisk(`full-${free}`, async (disk, path) => {
      disk.leaveFree(free * mebibyte);
      for (const format of ['tar.gz', 'tar.xz', 'tar.zst'] as const)
        mustBeAsBefore(path, await saving(engineOfEra(docker113, [noise]), path, { format }));
      const target = { kind: 'volumes', path, limit: mebibyte } as const;
      mustBeAsBefore(path, await saving(engineOfEra(docker113, [noise]), path, { format: 'tar.gz', target }));
      const { bavail, bsize } = statfsSync(disk.directory);
      assert.ok(bavail * bsize > (free - 1) * mebibyte, 'the space is there again');
    });
  });
}

test('a bundle that is smaller than its images when compressed fits where they would not', async () => {
  await onSmallDisk('fits', async (disk, path) => {
    disk.leaveFree(2 * mebibyte);
    const engine = engineOfEra(docker113, [text]);
    const saved = await saving(engine, path, { images: ['shop/text:1'], format: 'tar.zst' });
    assert.not.instance(saved, Error);
    assert.ok(readFileSync(path).length < mebibyte);
  });
});

test('a disk that takes no file that large is told of, with volumes as the way out', async () => {
  const limitFileSize = (bytes: string) =>
    execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  await onSmallDisk('limited', async (_disk, path) => {
    limitFileSize(String(4 * mebibyte));
    try {
      const thrown = await saving(engineOfEra(docker113, [noise]), path, { format: 'tar' });
      mustBeAsBefore(path, thrown);
      assert.match((thrown as NoSpaceError).advice!, '--split 4G');
    } finally {
      limitFileSize('unlimited');
    }
  });
  assert.is(largestFile(0x4d44), 4_294_967_295);
  assert.is(largestFile(0xef53), Number.POSITIVE_INFINITY);
});

test('a disk that was mounted for reading is told of', async () => {
  await onSmallDisk('read-only', async (disk, path) => {
    execFileSync('mount', ['-o', 'remount,ro', disk.directory]);
    const thrown = await saving(engineOfEra(docker113, [noise]), path, {});
    assert.instance(thrown, FailedError);
    assert.match((thrown as FailedError).message, /^saving images: .*out could not be written \(EROFS/);
  });
});

test('of images that share layers, however indirectly, only the largest counts', () => {
  const image = (size: number, ...diffIds: string[]) => ({ size, diffIds });
  assert.is(leastSize([]), 0);
  assert.is(leastSize([image(10, 'a'), image(5, 'b')]), 15);
  assert.is(leastSize([image(10, 'a', 'b'), image(5, 'a'), image(7, 'c')]), 17);
  assert.is(leastSize([image(10, 'a'), image(12, 'b'), image(5, 'a', 'b')]), 12);
  assert.is(leastSize([image(3), image(4)]), 7);
});

test.run();
