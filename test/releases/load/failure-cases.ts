import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Catalog } from '../../../src/releases/catalog/catalog.ts';
import { DamagedError, FailedError, InterruptedError, NoSpaceError } from '../../../src/support/errors.ts';
import { tarFileHeader } from '../../../src/support/tar/writer.ts';
import { containerdStore, docker113 } from '../../archive/fixtures/eras.ts';
import { file, tarOf } from '../../archive/fixtures/tar.ts';
import { rejects } from '../../support/rejects.ts';
import type { LoadGround } from './load-ground.ts';

/** What leaves the engine and the catalog as they were. */
export function testFailures(
  test: Test,
  { engine, host, newImage, archiveOf, bundleOf, assertHeld, imagesHere }: LoadGround,
): void {
  test('what would expand beyond the disk is refused as soon as that shows', async () => {
    const before = await imagesHere();
    const header = tarFileHeader(`${'0'.repeat(64)}/layer.tar`, 2 ** 50);
    const zeros = Buffer.alloc(4 << 20);
    for (const compress of [zstdCompressSync, gzipSync]) {
      const bomb = Buffer.concat([compress(header), ...Array(20).fill(compress(zeros))]);
      await rejects(() => host().load(bomb), NoSpaceError);
    }
    assert.equal(await imagesHere(), before);
  });

  test('a plain tar that is cut at any entry is refused, and the engine is as before', async () => {
    const entries = docker113([await newImage()]);
    const before = await imagesHere();
    for (let count = 0; count < entries.length - 2; count++) {
      const { path, bytes } = await archiveOf(entries.slice(0, count));
      for (const input of [path, bytes]) await rejects(() => host().load(input), DamagedError);
    }
    assert.equal(await imagesHere(), before);
  });

  test('a second release document behind the one that was judged is refused', async () => {
    const image = await newImage();
    const bundle = await bundleOf(image, 'tar');
    const size = Number.parseInt(bundle.toString('latin1', 124, 135), 8);
    const other = bundle.toString('latin1', 512, 512 + size).replace(/:1\.4"/, ':6.6"');
    const second = await tarOf([file('dockerctl/release.json', other)]);
    const twice = Buffer.concat([bundle.subarray(0, bundle.length - 1024), second]);
    const before = await imagesHere();
    for (const bytes of [twice, gzipSync(twice)]) {
      const { message } = await rejects(() => host().load(bytes), DamagedError);
      assert.match(message, 'twice');
    }
    assert.equal(await imagesHere(), before);
  });

  test('an interruption at any moment leaves the engine and the catalog as they were', async () => {
    const image = await newImage({ contents: ['x'.repeat(3_000_000), 'y'.repeat(3_000_000)] });
    const { path, bytes } = await archiveOf(containerdStore([image]));
    const before = await imagesHere();
    for (const delay of [0, 5, 20, 60]) {
      for (const input of [path, bytes]) {
        const controller = new AbortController();
        const { load, catalog } = host({ signal: controller.signal });
        setTimeout(() => controller.abort(), delay);
        const outcome = await load(input).then(
          () => 'loaded',
          (error: unknown) => error,
        );
        if (outcome === 'loaded') {
          await engine.images.remove(image.references[0]!);
          continue;
        }
        assert.instance(outcome, InterruptedError);
        assert.equal(await imagesHere(), before);
        assert.equal(await catalog.releases(), []);
      }
    }
  });

  test('a load that fails at its very end gives the tags that moved back', async () => {
    const old = await newImage();
    await host().load((await archiveOf(docker113([old]))).path);
    const before = await imagesHere();
    const next = await newImage({ references: old.references });
    const { load, catalog } = host();
    const broken: Catalog = {
      ...catalog,
      async record() {
        throw new FailedError('the disk of the catalog is full');
      },
    };
    const { path, bytes } = await archiveOf(docker113([next]));
    for (const input of [path, bytes]) {
      await rejects(() => load(input, { catalog: broken }), FailedError);
      assert.equal(await imagesHere(), before);
    }
    await assertHeld(old);
  });
}
