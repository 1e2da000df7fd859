import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeVolumes } from '../../../src/archive/volumes/writer.ts';
import { openCatalog } from '../../../src/releases/catalog/catalog.ts';
import { loadImages } from '../../../src/releases/load/load.ts';
import type { Context } from '../../../src/support/context.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { docker25 } from '../../archive/fixtures/eras.ts';
import { fixtureImage } from '../../archive/fixtures/images.ts';
import { tarOf } from '../../archive/fixtures/tar.ts';
import { testEngine } from '../../support/engine.ts';
import { flip } from '../../support/flip.ts';
import { uniqueReference } from '../../support/images.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { engine } = await testEngine();
const directory = temporaryDirectory();

test('loading a set of volumes names the one that is damaged', async () => {
  const image = await fixtureImage({ references: [uniqueReference()], contents: ['one'.repeat(20_000)] });
  const archive = await tarOf(docker25([image]));
  const paths = await writeVolumes(join(directory, 'shop.tar'), 16 << 10, inOnePiece(archive));
  flip(paths[1]!, 9000);
  const stateDir = join(directory, 'state');
  mkdirSync(stateDir);
  const { signal } = new AbortController();
  const context: Context = { progress: silent, signal, now: () => new Date(), stateDir };
  const options = { engine, catalog: openCatalog(stateDir) };
  const thrown = await loadImages([paths[0]!], options, context).catch((error: unknown) => error);
  assert.instance(thrown, DamagedError);
  assert.is((thrown as Error).message, `${paths[1]}: volume 2 of ${paths.length} is damaged`);
});

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test.run();
