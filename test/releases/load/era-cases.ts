import { gzipSync } from 'node:zlib';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import type { LoadReport } from '../../../src/releases/load/load.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { docker25, docker113, eras, ociArchive } from '../../archive/fixtures/eras.ts';
import { withLayers } from '../../archive/fixtures/images.ts';
import type { Entry } from '../../archive/fixtures/tar.ts';
import { rejects } from '../../support/rejects.ts';
import { flipped, type LoadGround } from './load-ground.ts';

/** Archives of every era. */
export function testEras(
  test: Test,
  { store, host, newImage, archiveOf, assertHeld, imagesHere, removeLoaded }: LoadGround,
): void {
  // What an engine never sees need not be shown on both.
  const isClassic = store === 'classic';

  for (const [era, write] of Object.entries(eras)) {
    test(`${era}: loaded from a file and from a pipe, checked and catalogued`, async () => {
      for (const how of ['file', 'pipe'] as const) {
        const { load, catalog } = host();
        const image = await newImage();
        const { path, bytes } = await archiveOf(write([image]));
        const report = await load(how === 'file' ? path : bytes);
        assert.is(report.archives[0]?.release, '1.4');
        assert.is(report.archives[0]?.images[0]?.present, false);
        await assertHeld(image);
        const [record] = await catalog.releases();
        assert.equal(record?.images[0]?.references, image.references);
        assert.equal(
          record?.images[0]?.layers.map(({ diffId }) => diffId),
          image.layers.map(({ diffId }) => diffId),
        );
      }
    });

    if (!isClassic && era !== 'docker save of a containerd store') continue;
    test(`${era}: one flipped bit in any layer, config or manifest keeps all of it out`, async () => {
      const image = await newImage();
      const entries = write([image]);
      const before = await imagesHere();
      for (const [i, entry] of entries.entries()) {
        const content = Buffer.from(entry.content ?? '');
        if (content.length < 10 || isUnprotected(era, entry.name)) continue;
        const { path, bytes } = await archiveOf(entries.with(i, { ...entry, content: flipped(content) }));
        for (const input of [i % 2 === 0 ? path : bytes]) {
          const { load, catalog } = host();
          const outcome = await load(input).catch((error: unknown) => error);
          if (outcome instanceof Error) {
            assert.instance(outcome, DamagedError, `${entry.name}: ${outcome}`);
            assert.equal(await catalog.releases(), []);
          } else {
            // A flipped bit in a document may make another name for the image: then nothing is damaged.
            assert.match(entry.name, /json$/);
            await removeLoaded(outcome as LoadReport);
          }
          assert.equal(await imagesHere(), before, entry.name);
        }
      }
    });
  }

  test('a layer without a byte, and one that is an empty tar: loaded, from a file and from a pipe', async () => {
    const empty = [Buffer.alloc(0), Buffer.alloc(1024)].map((tar) => ({ diffId: digestOf(tar), tar }));
    for (const write of isClassic ? [docker113, docker25, ociArchive] : [docker25, ociArchive]) {
      const image = await newImage();
      const hollow = withLayers(image, [image.layers[0]!, ...empty]);
      const { path, bytes } = await archiveOf(write([hollow]));
      for (const input of [path, bytes]) {
        await removeLoaded(await host().load(input));
        const damaged = await archiveOf(write([hollow]).map(withAByteWhereNoneIs));
        const damage = typeof input === 'string' ? damaged.path : damaged.bytes;
        await rejects(() => host().load(damage), DamagedError);
      }
    }
  });
}

/** Before 1.10 nothing had a digest; what was kept for such old readers since then, nobody reads. */
function isUnprotected(era: string, name: string): boolean {
  return (
    /VERSION$|^repositories$|^oci-layout$/.test(name) ||
    (era.includes('up to 1.9') && name.endsWith('layer.tar'))
  );
}

/** Where there should be nothing, in a file or in the gzip of it. */
function withAByteWhereNoneIs(entry: Entry): Entry {
  const isLayer = /layer\.tar$|sha256\/.+/.test(entry.name) && entry.type === undefined;
  const content = Buffer.from(entry.content ?? '');
  const isEmpty = content.length === 0 || content.equals(gzipSync(content.subarray(0, 0), { level: 1 }));
  return isLayer && isEmpty ? { ...entry, content: Buffer.concat([content, Buffer.from('x')]) } : entry;
}
