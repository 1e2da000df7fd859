import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { createLayout } from '../../../src/oci/layout.ts';
import { publishBlob } from '../../../src/oci/layout-blobs.ts';
import { readMetadata } from '../../../src/repository/blobs/metadata.ts';
import { decodeIndex, encodePackLine, type PackContents } from '../../../src/repository/packs/index-lines.ts';
import { type PackLine, stageIndexes } from '../../../src/repository/packs/stage-indexes.ts';
import type { Store } from '../../../src/repository/seal/store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const header = { repository: 'made for this test', seed: randomBytes(32) };

test('lines become as many indexes as they take, and each tells of its own packs', async () => {
  const store = await emptyStore();
  const packs = Array.from({ length: 5 }, (_, i) => contentsOf(`pack ${i}`, 65));
  const { staged, refs } = await stageIndexes(store, header, packs.map(lineOf));
  for (const blob of staged) await publishBlob(store, blob);
  assert.equal(
    refs.map((ref) => ref.packs.length),
    [2, 2, 1],
  );
  const read = await Promise.all(
    refs.map(async (ref) => decodeIndex(await readMetadata(store, ref), 'index')),
  );
  for (const index of read) assert.equal(index.header, header);
  assert.equal(
    read.flatMap((index) => index.packs),
    packs,
  );
});

test('without lines there is no index', async () => {
  assert.equal(await stageIndexes(await emptyStore(), header, []), { staged: [], refs: [] });
});

async function emptyStore(): Promise<Store> {
  const directory = temporaryDirectory();
  await createLayout(directory);
  return { directory, recipients: [], identities: [], cache: undefined };
}

/** @param frames of a thousand chunks each */
function contentsOf(name: string, frames: number): PackContents {
  const frame = () => ({
    length: 5,
    sizes: Array(1000).fill(1),
    chunks: randomBytes(32_000).toString('hex'),
  });
  return { pack: digestOf(name), size: 9, frames: Array.from({ length: frames }, frame) };
}

function lineOf(contents: PackContents): PackLine {
  const pack = { digest: contents.pack, size: contents.size, source: 'files' };
  return { pack, line: encodePackLine(contents) };
}

test.run();
