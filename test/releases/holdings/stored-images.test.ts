import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../../src/engine/engine.ts';
import { openCatalog } from '../../../src/releases/catalog/catalog.ts';
import { inspectArchives } from '../../../src/releases/inspect.ts';
import { loadImages } from '../../../src/releases/load/load.ts';
import type { DeltaBase } from '../../../src/releases/save/delta.ts';
import { baseOfReceipt, writeReceipt } from '../../../src/releases/save/receipt.ts';
import { saveImages } from '../../../src/releases/save/save.ts';
import { silent } from '../../../src/support/progress.ts';
import { containerdStore, docker25, ociArchive } from '../../archive/fixtures/eras.ts';
import { type FixtureImage, fixtureImage } from '../../archive/fixtures/images.ts';
import { tarOf } from '../../archive/fixtures/tar.ts';
import { throwawayEngine } from '../../support/engine.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { engineOfEra } from '../era-engine.ts';

const { engine, stop } = await throwawayEngine('stored-images', { store: 'containerd' });
test.after(stop);
const directory = temporaryDirectory();
let made = 0;

/** A host that has loaded nothing itself. */
function host(asked = engine) {
  made += 1;
  const stateDir = join(directory, `state-${made}`);
  const warnings: string[] = [];
  const progress = { ...silent, warn: (message: string) => void warnings.push(message) };
  const context = {
    progress,
    stateDir,
    signal: new AbortController().signal,
    now: () => new Date('2026-01-01'),
  };
  const catalog = openCatalog(stateDir);
  return {
    context,
    catalog,
    warnings,
    load: async (bundle: Buffer, how: 'file' | 'pipe') => {
      const path = join(directory, `${made}.tar`);
      writeFileSync(path, bundle);
      const input = how === 'file' ? path : { name: '-', stream: Readable.from([bundle]) };
      const { archives } = await loadImages([input], { engine: asked, catalog }, context);
      return archives[0]!;
    },
  };
}

async function newImage(...contents: string[]): Promise<FixtureImage> {
  made += 1;
  return await fixtureImage({ references: [`dockerctl-stored-test/${process.pid}-${made}:1.4`], contents });
}

/** Layers in a bundle are uncompressed. */
async function bundleOf(image: FixtureImage, from: Engine, base?: DeltaBase): Promise<Buffer> {
  return await bundleOfAll(image.references, from, base);
}

async function bundleOfAll(images: string[], from: Engine, base?: DeltaBase): Promise<Buffer> {
  const stream = new PassThrough();
  const bytes = buffer(stream);
  const target = { kind: 'stream', stream } as const;
  const request = { images, format: 'tar', base, target, tool: 'test' } as const;
  await saveImages(from, request, host().context);
  stream.end();
  return await bytes;
}

/** As `docker pull` and `docker build` leave it: its layers are there in gzip. */
async function loadedByOthers(image: FixtureImage, write = ociArchive): Promise<string> {
  const [reference = ''] = image.references;
  await engine.images.load(Readable.from([await tarOf(write([image]))]));
  const { id } = (await engine.images.list()).find(({ tags }) => tags.includes(reference))!;
  // A name out of an OCI layout is not the whole one by which it is found.
  await engine.images.tag(id, reference);
  return id;
}

test('an image that came another way, in another compression, is there already', async () => {
  // An id may be that of an index, above the manifest.
  for (const write of [ociArchive, containerdStore]) {
    const image = await newImage('other form '.repeat(9000), 'small');
    const id = await loadedByOthers(image, write);
    const bundle = await bundleOf(image, engineOfEra(docker25, [image]));
    for (const how of ['file', 'pipe'] as const) {
      const { load, warnings, catalog } = host();
      const { sent, images, moved } = await load(bundle, how);
      assert.is(sent, 0);
      assert.equal([moved, warnings], [[], []]);
      assert.is(images[0]?.present, true);
      assert.is((await engine.images.inspect(image.references[0]!))?.id, id);
      const [record] = await catalog.releases();
      assert.is(record?.images[0]?.manifest, id);
    }
  }
});

test('beside an image that is sent, and under a further name, an image below an index stays what it is', async () => {
  for (const how of ['file', 'pipe'] as const) {
    const [here, sent] = [await newImage(`${how} below an index`), await newImage(`${how} sent`)];
    const id = await loadedByOthers(here, containerdStore);
    const further = here.references[0]!.replace(':1.4', '-further:1.4');
    const named = { ...here, references: [...here.references, further] };
    const bundle = await bundleOfAll(
      [...named.references, ...sent.references],
      engineOfEra(docker25, [named, sent]),
    );
    const { load, warnings, catalog } = host();
    const { images, moved } = await load(bundle, how);
    assert.equal([moved, warnings], [[], []], how);
    assert.equal(images.map(({ present }) => present).sort(), [false, true], how);
    for (const name of named.references) assert.is((await engine.images.inspect(name))?.id, id, how);
    const [record] = await catalog.releases();
    const [recorded] = record!.images.filter(({ references }) => references.includes(further));
    assert.is(recorded?.manifest, id, how);
  }
});

test('of layers that are there in another compression none is sent, nor needed by a delta', async () => {
  const shared = `${process.pid} ${made} other form `.repeat(9000);
  await loadedByOthers(await newImage(shared, 'old'));
  const about = { tool: 'test', host: 'receiver', now: new Date(0) };
  const base = baseOfReceipt(await writeReceipt({ engine, catalog: host().catalog }, about));
  // Of an engine on another host the manifests come only with all of an image.
  const remote: Engine = { ...engine, info: async () => ({ ...(await engine.info()), local: false }) };
  for (const [asked, delta] of [
    [engine, undefined],
    [engine, base],
    [remote, base],
  ] as const) {
    for (const how of ['file', 'pipe'] as const) {
      const next = await newImage(shared, `new ${made} `.repeat(20_000));
      const bundle = await bundleOf(next, engineOfEra(docker25, [next]), delta);
      const { load } = host(asked);
      assert.is((await load(bundle, how)).sent, next.layers[1]!.tar.length);
      const held = await engine.images.inspect(next.references[0]!);
      assert.equal(
        held?.diffIds,
        next.layers.map(({ diffId }) => diffId),
      );
      await bundleOf(next, engine); // Which reads and checks every byte that the engine holds.
      assert.is((await load(bundle, how)).sent, 0);
    }
  }
});

test('inspecting a bundle tells which layers are there in another compression', async () => {
  const [shared, old] = [`${process.pid} ${made} inspected `.repeat(9000), 'old'];
  await loadedByOthers(await newImage(shared, old));
  const next = await newImage(shared, 'new');
  const path = join(directory, 'inspected.tar');
  writeFileSync(path, await bundleOf(next, engineOfEra(docker25, [next])));
  const { catalog, context } = host();
  const [archive] = await inspectArchives([path], { engine, catalog }, context);
  assert.equal(
    archive?.images.map(({ present, layers }) => [present, ...layers.map((layer) => layer.present)]),
    [[false, true, false]],
  );
});

test.run();
