import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openArchive } from '../../../../src/archive/archive.ts';
import type { Engine } from '../../../../src/engine/engine.ts';
import { openCatalog } from '../../../../src/releases/catalog/catalog.ts';
import { type Holdings, holdingsOf, nothing } from '../../../../src/releases/holdings/holdings.ts';
import { storedImages } from '../../../../src/releases/holdings/stored-images.ts';
import { lookBefore } from '../../../../src/releases/load/before.ts';
import { planLoad } from '../../../../src/releases/load/plan/plan.ts';
import { releaseReplaced } from '../../../../src/releases/load/transfer/tags.ts';
import { Transfer } from '../../../../src/releases/load/transfer/transfer.ts';
import { seekableIndex } from '../../../../src/releases/seekable-index.ts';
import type { Context } from '../../../../src/support/context.ts';
import { InterruptedError } from '../../../../src/support/errors.ts';
import { silent } from '../../../../src/support/progress.ts';
import { docker25 } from '../../../archive/fixtures/eras.ts';
import { type FixtureImage, fixtureImage } from '../../../archive/fixtures/images.ts';
import { tarOf } from '../../../archive/fixtures/tar.ts';
import { testEngine } from '../../../support/engine.ts';
import { uniqueReference } from '../../../support/images.ts';
import { rejects } from '../../../support/rejects.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const { engine } = await testEngine();
const directory = temporaryDirectory();
let count = 0;

async function newImage(reference = uniqueReference()): Promise<FixtureImage> {
  const contents = [`lowest of ${reference} ${count++}`, `top of ${reference} ${count++}`];
  return await fixtureImage({ references: [reference], contents });
}

interface Prepared {
  transfer: Transfer;
  send(holdings?: 'nothing' | 'what it has'): Promise<void>;
  passOn(): Promise<void>;
  end(): Promise<void>;
}

/** The way of one image's archive into an engine. */
async function prepare(image: FixtureImage, to: Engine, signal: AbortSignal): Promise<Prepared> {
  const stateDir = join(directory, String(count++));
  mkdirSync(stateDir);
  const path = `${stateDir}.tar`;
  writeFileSync(path, await tarOf(docker25([image])));
  const context: Context = { progress: silent, signal, now: () => new Date(), stateDir };
  const archive = await openArchive(path);
  const before = await lookBefore(to, openCatalog(stateDir));
  const { images, info, releases } = before;
  const holdings = async (): Promise<Holdings> => {
    const wanted = { images: index.index.images, release: undefined };
    return holdingsOf(
      images,
      releases,
      await storedImages(images, releases, wanted, { engine: to, info, signal }),
    );
  };
  const index = (await seekableIndex(archive, context))!;
  const transfer = new Transfer(archive, before, to, context, silent.begin('loading'));
  return {
    transfer,
    async send(held = 'nothing') {
      const known = held === 'nothing' ? nothing : await holdings();
      await transfer.sendPlanned(index, planLoad(path, index, index.index.images, known));
    },
    passOn: () => transfer.passOn({ choose: async ({ images }) => images, holdings }),
    async end() {
      await releaseReplaced(to, images);
      await archive.close();
    },
  };
}

/** Prepares, and gives back what was made of it at the end. */
async function transferring(
  image: FixtureImage,
  act: (prepared: Prepared, interrupt: AbortController) => Promise<void>,
  to: Engine = engine,
): Promise<void> {
  const interrupt = new AbortController();
  const prepared = await prepare(image, to, interrupt.signal);
  try {
    await act(prepared, interrupt);
  } finally {
    await prepared.end();
  }
}

/** The engine, which tells `onLoad` of every load that begins. */
function watchedEngine(onLoad: () => void, afterLoad: () => void = () => {}): Engine {
  const images: Engine['images'] = {
    ...engine.images,
    async load(archive, options) {
      onLoad();
      const loaded = await engine.images.load(archive, options);
      afterLoad();
      return loaded;
    },
  };
  return { ...engine, images };
}

async function diffIdsOf(reference: string): Promise<string[] | undefined> {
  return (await engine.images.inspect(reference))?.diffIds;
}

const expectedOf = ({ layers }: FixtureImage) => layers.map(({ diffId }) => diffId);

for (const way of ['send', 'passOn'] as const) {
  const name = way === 'send' ? 'an archive that can be read anywhere' : 'an archive that is passed on';

  test(`${name}: it arrives, is checked, and can be taken back`, async () => {
    const image = await newImage();
    const [reference = ''] = image.references;
    await transferring(image, async ({ transfer, [way]: act }) => {
      await act();
      assert.is(
        transfer.bytes,
        image.layers.reduce((sum, { tar }) => sum + tar.length, 0),
      );
      const [loaded] = await transfer.check();
      assert.equal(loaded?.references, [reference]);
      assert.is(loaded?.present, false);
      assert.equal(await diffIdsOf(reference), expectedOf(image));
      await transfer.undo();
      assert.is(await diffIdsOf(reference), undefined);
    });
  });

  test(`${name}: a tag that it takes is told, and given back`, async () => {
    const old = await newImage();
    const [reference = ''] = old.references;
    await transferring(old, ({ send }) => send());
    const { id } = (await engine.images.inspect(reference))!;
    const next = await newImage(reference);
    await transferring(next, async ({ transfer, [way]: act }) => {
      await act();
      assert.equal(transfer.moved, [{ reference, from: id }]);
      assert.equal(await diffIdsOf(reference), expectedOf(next));
      await transfer.undo();
    });
    assert.equal(await diffIdsOf(reference), expectedOf(old));
    await engine.images.remove(reference);
  });

  test(`${name}: interrupted before all of it was verified, the engine keeps nothing`, async () => {
    const image = await newImage();
    await transferring(image, async ({ transfer, [way]: act }, interrupt) => {
      interrupt.abort();
      await rejects(act, InterruptedError);
      assert.is(transfer.sent, undefined);
    });
    assert.is(await diffIdsOf(image.references[0]!), undefined);
  });
}

test('what a load replaced and others removed meanwhile does not come back, and nothing of the load stays', async () => {
  const old = await newImage();
  const [reference = ''] = old.references;
  await transferring(old, ({ send }) => send());
  const { id } = (await engine.images.inspect(reference))!;
  await transferring(await newImage(reference), async ({ transfer, send }) => {
    await send();
    await engine.images.remove(id);
    await transfer.undo();
  });
  assert.is(await diffIdsOf(reference), undefined);
});

test('what the engine has under every name is not sent again', async () => {
  const image = await newImage();
  await transferring(image, ({ send }) => send());
  let loads = 0;
  const watched = watchedEngine(() => loads++);
  const again = async ({ transfer, send }: Prepared) => {
    await send('what it has');
    assert.is(transfer.bytes, 0);
    assert.ok((await transfer.check())[0]?.present);
  };
  await transferring(image, again, watched);
  assert.is(loads, 0);
  await engine.images.remove(image.references[0]!);
});

test('an interruption when the engine has all of it is noticed, and what it made is taken back', async () => {
  const image = await newImage();
  const interrupt = new AbortController();
  const stopping = watchedEngine(
    () => {},
    () => interrupt.abort(),
  );
  const { transfer, send, end } = await prepare(image, stopping, interrupt.signal);
  await send();
  await rejects(() => transfer.check(), InterruptedError);
  await transfer.undo();
  await end();
  assert.is(await diffIdsOf(image.references[0]!), undefined);
});

test.run();
