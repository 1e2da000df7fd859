import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { openCatalog } from '../../../src/releases/catalog/catalog.ts';
import {
  baseOfReceipt,
  encodeReceipt,
  readReceipt,
  writeReceipt,
} from '../../../src/releases/save/receipt.ts';
import { DamagedError, NotFoundError } from '../../../src/support/errors.ts';
import { errorOf } from '../../support/deployment.ts';
import { testEngine } from '../../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../../support/images.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const about = { tool: 'dockerctl test', host: 'admin01', now: new Date('2026-11-22T03:00:00Z') };
const receipt = {
  tool: about.tool,
  host: about.host,
  made: '2026-11-22T03:00:00.000Z',
  releases: ['1.2', '1.3'],
  images: [
    { references: ['shop/web:1.3'], config: digestOf('config'), layers: [digestOf('a'), digestOf('b')] },
    { references: [], layers: [digestOf('c')] },
  ],
};

test('a receipt comes back as it was, and is the base of a delta', async () => {
  const path = join(directory, 'receipt.json');
  writeFileSync(path, encodeReceipt(receipt));
  const read = await readReceipt(path);
  assert.equal(read, receipt);
  assert.is(baseOfReceipt(read).release, '1.3');
  assert.equal(
    baseOfReceipt(read).images.map(({ layers }) => layers.length),
    [2, 1],
  );
});

test('an engine’s images are written down with their layers and releases', async () => {
  const { engine } = await testEngine();
  const reference = await loadBusyboxImage(engine, { files: { [uniqueName()]: 'of this test alone' } });
  try {
    const catalog = openCatalog(join(directory, 'state'));
    await catalog.record({ release: '1.3', loaded: '2026-01-01T00:00:00Z', images: [] });
    const written = await writeReceipt({ engine, catalog }, about);
    const image = (await engine.images.inspect(reference))!;
    const found = written.images.find(({ references }) => references.includes(reference));
    assert.equal(found, { references: [reference], config: image.id, layers: image.diffIds });
    assert.equal([written.releases, written.made, written.host], [['1.3'], receipt.made, 'admin01']);
  } finally {
    await engine.images.remove(reference, { force: true });
  }
});

test('what is no receipt is refused and named', async () => {
  assert.instance(await errorOf(readReceipt(join(directory, 'nowhere'))), NotFoundError);
  const path = join(directory, 'damaged.json');
  const text = encodeReceipt(receipt);
  for (const damaged of [
    '',
    '[]',
    text.slice(1),
    text.replace('sha256:', 'md5:'),
    text.replace('1,', '2,'),
  ]) {
    writeFileSync(path, damaged);
    const error = await errorOf(readReceipt(path));
    assert.instance(error, DamagedError);
    assert.ok(error.message.startsWith(`reading the receipt ${path}: it is none (`));
  }
});

test.run();
