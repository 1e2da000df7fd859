import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeVolumes } from '../../src/archive/volumes/writer.ts';
import type { Deployment } from '../../src/deployment/deployment.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { loadFromArchives } from '../../src/lifecycle/load-missing.ts';
import { openCatalog } from '../../src/releases/catalog/catalog.ts';
import { NotFoundError } from '../../src/support/errors.ts';
import { silent } from '../../src/support/progress.ts';
import { rejects } from '../support/rejects.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const stateDir = temporaryDirectory();
const context = { progress: silent, signal: new AbortController().signal, now: () => new Date(0), stateDir };
const engine = { images: { inspect: async () => undefined } } as unknown as Engine;

test('when images stay missing, an archive that lacks a volume is named', async () => {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(40 << 10);
  }
  const [first, second] = await writeVolumes(join(stateDir, 'shop.tar'), 16 << 10, bytes());
  rmSync(second!);
  const deployment = { release: '1.4', images: {} } as Deployment;
  const load = loadFromArchives(deployment, engine, openCatalog(stateDir), context);
  const error = await rejects(() => load(['shop/web:1.4'], [first!]), NotFoundError);
  assert.match(error.message, /volume 2 of \d+ is missing/);
});

test.run();
