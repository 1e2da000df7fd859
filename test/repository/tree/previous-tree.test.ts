import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { blobPath, createLayout } from '../../../src/oci/layout.ts';
import { publishBlob } from '../../../src/oci/layout-blobs.ts';
import { stageMetadata } from '../../../src/repository/blobs/metadata.ts';
import type { Entry } from '../../../src/repository/entry.ts';
import type { Store } from '../../../src/repository/seal/store.ts';
import type { TreeRef } from '../../../src/repository/snapshot/manifest.ts';
import { encodeLine } from '../../../src/repository/tree/line.ts';
import { PreviousTree } from '../../../src/repository/tree/previous-tree.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const home = temporaryDirectory();

const entry = (path: string, more: Partial<Entry> = {}): Entry => {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: 1n, ctime: 2n, inode: 3, ...more };
};

/** A tree of these segments, and what is told while it is read. */
async function treeOf(...texts: string[]) {
  const directory = mkdtempSync(join(home, 'layout-'));
  const store: Store = {
    ...(await createLayout(directory)),
    recipients: [],
    identities: [],
    cache: undefined,
  };
  const refs: TreeRef[] = [];
  for (const text of texts) {
    const blob = await stageMetadata(store, Buffer.from(text));
    await publishBlob(store, blob);
    refs.push({ digest: blob.digest, size: blob.size, source: 'files', packs: [] });
  }
  const told: string[] = [];
  return { store, refs, told, tree: new PreviousTree(store, refs, ({ message }) => told.push(message)) };
}

async function readAll(tree: PreviousTree) {
  const read: { path: string; entry: Entry | undefined }[] = [];
  for await (const segment of tree.segments())
    for (const { path, entry } of segment) read.push({ path, entry });
  return read;
}

test('files come in order over segments, with the names they have', async () => {
  const paths = ['.', 'a', 'a/b c', 'odd"\\\n', 'text-\xc3\xa9', '\xff'];
  const lines = paths.map((path) => `${encodeLine(entry(path))}\n`);
  const { tree, told } = await treeOf(lines.slice(0, 2).join(''), lines[2]!, lines.slice(3).join(''));
  assert.equal(
    await readAll(tree),
    paths.map((path) => ({ path, entry: entry(path) })),
  );
  assert.equal(told, []);
});

test('a line that is none is told of, once for its segment, and the others count', async () => {
  const good = encodeLine(entry('a'));
  const { tree, told } = await treeOf(
    `${good}\n{"path":"b","type":"no\n{"path":"c"}\n\n`,
    encodeLine(entry('d')),
  );
  assert.equal(
    (await readAll(tree)).map(({ path, entry }) => [path, entry?.path]),
    [
      ['a', 'a'],
      ['b', undefined],
      ['c', undefined],
      ['', undefined],
      ['d', 'd'],
    ],
  );
  assert.is(told.length, 1);
  assert.match(told[0]!, /^reading tree sha256:[0-9a-f]{64}: the line \{"path":"b"/);
});

test('a segment that is missing is told of, and those behind it come', async () => {
  const texts = Array.from({ length: 9 }, (_, i) => `${encodeLine(entry(`f${i}`))}\n`);
  const { tree, told, store, refs } = await treeOf(...texts);
  rmSync(blobPath(store, refs[4]!.digest));
  assert.equal(
    (await readAll(tree)).map(({ path }) => path),
    ['f0', 'f1', 'f2', 'f3', 'f5', 'f6', 'f7', 'f8'],
  );
  assert.is(told.length, 1);
  assert.match(told[0]!, /ENOENT/);
});

test('a tree may have no files', async () => {
  assert.equal(await readAll((await treeOf()).tree), []);
});

test.run();
