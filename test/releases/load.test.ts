import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectEngine } from '../../src/engine/connect.ts';
import { openCatalog } from '../../src/releases/catalog.ts';
import { loadImages } from '../../src/releases/load.ts';
import type { Context } from '../../src/support/context.ts';
import { silent } from '../../src/support/progress.ts';
import { eras } from '../archive/fixtures/eras.ts';
import { fixtureImage } from '../archive/fixtures/images.ts';
import { tarOf } from '../archive/fixtures/tar.ts';
import { testEngine } from '../support/engine.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const { socket } = await testEngine();
const engine = connectEngine({ host: `unix://${socket}` });

function host(name: string) {
  const stateDir = join(directory, name);
  mkdirSync(stateDir);
  const context: Context = {
    progress: silent,
    signal: new AbortController().signal,
    now: () => new Date('2026-01-01'),
    stateDir,
  };
  return { context, catalog: openCatalog(stateDir) };
}

let made = 0;
/** Contents of its own, so that no other test's layers are there already. */
async function newImage(tag = '1.4') {
  made += 1;
  const name = `dockerctl-load-test/${process.pid}-${made}:${tag}`;
  return await fixtureImage({
    references: [name],
    contents: [`${name} lowest`, `${name} top`, `${name} lowest`],
  });
}

for (const [era, write] of Object.entries(eras)) {
  test(`${era}: an archive is loaded, checked and catalogued`, async () => {
    const { context, catalog } = host(era);
    const image = await newImage();
    const path = join(directory, `${made}.tar`);
    writeFileSync(path, await tarOf(write([image])));
    try {
      const report = await loadImages([path], { engine, catalog }, context);
      assert.is(report.archives[0]?.release, '1.4');
      const held = await engine.images.inspect(image.references[0]!);
      assert.equal(
        held?.diffIds,
        image.layers.map(({ diffId }) => diffId),
      );
      const [record] = await catalog.releases();
      assert.equal(record?.images[0]?.references, image.references);
    } finally {
      await engine.images.remove(image.references[0]!).catch(() => {});
    }
  });
}

test.run();
