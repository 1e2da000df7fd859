import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectEngine } from '../../../src/engine/connect.ts';
import { openCatalog } from '../../../src/releases/catalog/catalog.ts';
import { planPrune, pruneReleases } from '../../../src/releases/catalog/prune.ts';
import { planRemoval, removeRelease } from '../../../src/releases/catalog/remove.ts';
import { loadImages } from '../../../src/releases/load/load.ts';
import { withImagesLock } from '../../../src/releases/lock.ts';
import { LockedError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { docker113 } from '../../archive/fixtures/eras.ts';
import { fixtureImage } from '../../archive/fixtures/images.ts';
import { tarOf } from '../../archive/fixtures/tar.ts';
import { testEngine } from '../../support/engine.ts';
import { uniqueName } from '../../support/images.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const { socket } = await testEngine();
const engine = connectEngine({ host: `unix://${socket}` });

/** A host that has loaded nothing, and an archive with one image for as many releases as one likes. */
async function hostWithArchive() {
  const name = uniqueName('removed');
  const reference = `dockerctl-remove-test/${name}:shared`;
  const archive = join(directory, `${name}.tar`);
  writeFileSync(
    archive,
    await tarOf(docker113([await fixtureImage({ references: [reference], contents: [name] })])),
  );
  const stateDir = join(directory, name);
  let seconds = 0;
  const now = () => new Date(1_700_000_000_000 + 1000 * seconds++);
  const context = { progress: silent, signal: new AbortController().signal, now, stateDir };
  const host = { engine, catalog: openCatalog(stateDir) };
  const load = (release: string) => loadImages([archive], { ...host, release }, context);
  const releases = async () => (await host.catalog.releases()).map(({ release }) => release);
  const isHeld = async () => (await engine.images.inspect(reference)) !== undefined;
  return { host, context, load, releases, isHeld };
}

test('an image that only pruned releases share goes with the last of them', async () => {
  const { host, context, load, releases, isHeld } = await hostWithArchive();
  for (const release of ['1', '2']) await load(release);
  await host.catalog.record({ release: '3', loaded: context.now().toISOString(), images: [] });
  const plans = await pruneReleases(['1', '2'], 1, host, context);
  assert.equal(
    plans.map(({ keep, remove }) => [keep.length, remove.length]),
    [
      [1, 0],
      [0, 1],
    ],
  );
  assert.equal(await releases(), ['3']);
  assert.not(await isHeld());
});

test('what was loaded after somebody agreed to a removal keeps the images that it counts on', async () => {
  const { host, context, load, releases, isHeld } = await hostWithArchive();
  await load('1');
  assert.is((await planRemoval('1', host)).remove.length, 1);
  await load('2');
  assert.equal((await removeRelease('1', host, context)).remove, []);
  assert.ok(await isHeld());
  assert.equal(await releases(), ['2']);
  await removeRelease('2', host, context);
  assert.not(await isHeld());
});

test('a release that was loaded again after somebody agreed to prune it stays', async () => {
  const { host, context, load, releases, isHeld } = await hostWithArchive();
  for (const release of ['1', '2', '3']) await load(release);
  const agreed = (await planPrune(1, host, () => {})).map(({ release }) => release);
  assert.equal(agreed, ['1', '2']);
  await load('1');
  await pruneReleases(agreed, 1, host, context);
  assert.equal((await releases()).sort(), ['1', '3']);
  assert.ok(await isHeld());
  for (const release of await releases()) await removeRelease(release, host, context);
});

test('while images are being loaded none are removed, nor the other way round', async () => {
  const { host, context, load } = await hostWithArchive();
  await load('1');
  await withImagesLock('images load', context, async () => {
    for (const act of [
      () => removeRelease('1', host, context),
      () => pruneReleases(['1'], 1, host, context),
      () => load('2'),
    ])
      assert.match((await rejects(act, LockedError)).message, 'held by images load');
  });
  await removeRelease('1', host, context);
});

test.run();
