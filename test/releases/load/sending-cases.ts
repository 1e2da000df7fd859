import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { docker25, docker113, ociArchive } from '../../archive/fixtures/eras.ts';
import { uniqueName } from '../../support/images.ts';
import type { LoadGround } from './load-ground.ts';

/** What is sent of an image, and what of it was there. */
export function testSending(
  test: Test,
  { engine, store, host, newImage, archiveOf, bundleOf, assertHeld }: LoadGround,
): void {
  test('of an image whose lower layers are there already, only the others are sent', async () => {
    const image = await newImage();
    const { load } = host();
    await load((await archiveOf(docker113([image]))).path);
    const upgraded = await newImage({
      tag: '1.5',
      contents: [`${image.references[0]} lowest`, 'new in 1.5'],
    });
    const { archives } = await load((await archiveOf(docker113([upgraded]))).path);
    assert.is(archives[0]?.sent, upgraded.layers[1]!.tar.length);
    await assertHeld(upgraded);
  });

  test('of a bundle in a pipe, plain or compressed, layers that are there are not sent', async () => {
    const shared = `${uniqueName('shared')} `.repeat(9000);
    const base = await newImage({ contents: [shared, 'old'] });
    const { load } = host();
    await load((await archiveOf(docker25([base]))).path);
    for (const format of ['tar', 'tar.zst', 'tar.gz'] as const) {
      const next = await newImage({ contents: [shared, `${format} new `.repeat(9000)] });
      const { archives } = await load(await bundleOf(next, format));
      assert.is(archives[0]?.sent, next.layers[1]!.tar.length);
      await assertHeld(next);
    }
  });

  test('loading again sends nothing, and says that all of it was there', async () => {
    for (const write of [docker113, docker25, ociArchive]) {
      const image = await newImage();
      const { path } = await archiveOf(write([image]));
      const { load } = host();
      await load(path);
      const { archives } = await load(path);
      assert.is(archives[0]?.sent, 0);
      assert.is(archives[0]?.images[0]?.present, true);
    }
  });

  test('an image that lost its name gets it back without a layer being sent', async () => {
    const image = await newImage();
    const { path } = await archiveOf(docker113([image]));
    const { load } = host();
    await load(path);
    const other = `dockerctl-load-test/${process.pid}-other:1`;
    await engine.images.tag(image.references[0]!, other);
    await engine.images.remove(image.references[0]!);
    const { archives } = await load(path);
    assert.is(archives[0]?.sent, 0);
    await assertHeld(image);
  });

  test('an image that others remove while it is to get a name is sent', async () => {
    const image = await newImage();
    const { path } = await archiveOf(docker113([image]));
    const { load } = host();
    await load(path);
    const other = `dockerctl-load-test/${uniqueName('pruned')}:1`;
    await engine.images.tag(image.references[0]!, other);
    await engine.images.remove(image.references[0]!);
    let pruned = false;
    const images: typeof engine.images = {
      ...engine.images,
      async tag(id, reference) {
        if (!pruned) await engine.images.remove(other);
        pruned = true;
        await engine.images.tag(id, reference);
      },
    };
    const { archives } = await load(path, { engine: { ...engine, images } });
    assert.ok(pruned && archives[0]!.sent > 0);
    await assertHeld(image);
  });

  test('an image that others prune as soon as it is loaded is sent once more', async () => {
    const image = await newImage();
    let loads = 0;
    const images: typeof engine.images = {
      ...engine.images,
      async load(archive, options) {
        const loaded = await engine.images.load(archive, options);
        if (loads++ === 0) await engine.images.remove(image.references[0]!);
        return loaded;
      },
    };
    const { path } = await archiveOf(docker113([image]));
    await host().load(path, { engine: { ...engine, images } });
    assert.is(loads, 2);
    await assertHeld(image);
  });

  test('a tag that moves is told, and the old image is in the catalog', async () => {
    const old = await newImage();
    await host().load((await archiveOf(docker113([old]))).path);
    const was = await engine.images.inspect(old.references[0]!);
    const next = await newImage({ references: old.references });
    const { load, catalog, warnings } = host();
    const { archives } = await load((await archiveOf(docker113([next]))).path);
    assert.equal(archives[0]?.moved, [{ reference: old.references[0], from: was?.id }]);
    assert.match(warnings[0]!, old.references[0]!);
    const [record] = await catalog.releases();
    assert.equal(record?.images[0]?.replaced, [{ reference: old.references[0], id: was?.id }]);
    // The containerd store drops an image with its last name.
    if (store === 'classic') await engine.images.remove(was!.id);
  });
}
