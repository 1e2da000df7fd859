import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { FailedError, NotFoundError } from '../../../src/support/errors.ts';
import { docker113, ociArchive } from '../../archive/fixtures/eras.ts';
import { rejects } from '../../support/rejects.ts';
import type { LoadGround } from './load-ground.ts';

/** Which images of an archive are loaded, as which release. */
export function testChoices(test: Test, { engine, host, newImage, archiveOf, assertHeld }: LoadGround): void {
  test('--select loads what matches, and says what there is when nothing does', async () => {
    const [a, b] = [await newImage(), await newImage()];
    const { path } = await archiveOf(docker113([a, b]));
    await host().load(path, { select: [b.references[0]!.replace(/^[^/]*/, '*')] });
    assert.is(await engine.images.inspect(a.references[0]!), undefined);
    await assertHeld(b);
    const error = await rejects(() => host().load(path, { select: ['nothing/*'] }), NotFoundError);
    assert.match(error.advice!, a.references[0]!);
  });

  test('of an image for several platforms the one for this host is loaded', async () => {
    const [here, there] = [await newImage(), await newImage({ architecture: 'arm64' })];
    there.references = here.references;
    const { path } = await archiveOf(ociArchive([there, here]));
    await host().load(path);
    await assertHeld(here);
  });

  test('an image for another platform only is refused', async () => {
    const { path } = await archiveOf(ociArchive([await newImage({ architecture: 's390x' })]));
    const error = await rejects(() => host().load(path), FailedError);
    assert.match(error.message, 'linux/s390x');
  });

  test('a release that cannot be told is asked for', async () => {
    const images = [await newImage({ tag: '1' }), await newImage({ tag: '2' })];
    const { path } = await archiveOf(docker113(images));
    const error = await rejects(() => host().load(path), Error);
    assert.match(error.message, 'which release');
    assert.is(await engine.images.inspect(images[0]!.references[0]!), undefined);
    const { archives } = await host().load(path, { release: '7.0' });
    assert.is(archives[0]?.release, '7.0');
  });
}
