import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { blobPath, clearStaging, createLayout, isLayout, stagingPath } from '../../src/oci/layout.ts';
import {
  blobSize,
  listBlobs,
  openBlob,
  publishBlob,
  readBlob,
  stageBlob,
  syncBlobs,
} from '../../src/oci/layout-blobs.ts';
import {
  encodeIndex,
  publishIndex,
  readIndex,
  readStagedIndex,
  stageIndex,
} from '../../src/oci/layout-index.ts';
import { DamagedError } from '../../src/support/errors.ts';
import { errorOf } from '../support/deployment.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const descriptor: Descriptor = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: digestOf('manifest'),
  size: 8,
};
let count = 0;

async function newLayout() {
  return createLayout(join(root, `layout${count++}`));
}

test('an empty layout is what the specification says, for its owner alone', async () => {
  const { directory } = await newLayout();
  assert.equal(readdirSync(directory).sort(), ['blobs', 'index.json', 'oci-layout', 'tmp']);
  assert.is(readFileSync(join(directory, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
  assert.is(
    readFileSync(join(directory, 'index.json'), 'utf8'),
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}\n',
  );
  for (const name of ['', 'blobs', 'tmp'])
    assert.is(statSync(join(directory, name)).mode & 0o777, 0o700, name);
  for (const name of ['index.json', 'oci-layout'])
    assert.is(statSync(join(directory, name)).mode & 0o777, 0o600);
  assert.ok(await isLayout(directory));
});

test('what has no oci-layout is none', async () => {
  writeFileSync(join(root, 'file'), '');
  for (const other of [root, join(root, 'missing'), join(root, 'file')]) assert.not(await isLayout(other));
});

test('a blob is there when it is published, and what is staged goes when staging is cleared', async () => {
  const layout = await newLayout();
  const staged = await stageBlob(layout, Buffer.from('blob'));
  assert.equal([staged.digest, staged.size], [digestOf('blob'), 4]);
  assert.equal([await listBlobs(layout), await blobSize(layout, staged.digest)], [[], undefined]);
  await publishBlob(layout, staged);
  await syncBlobs(layout);
  assert.equal([await listBlobs(layout), await blobSize(layout, staged.digest)], [[staged.digest], 4]);
  assert.is((await readBlob(layout, staged.digest, 4)).toString(), 'blob');

  await stageBlob(layout, Buffer.from('other'));
  mkdirSync(stagingPath(layout, 'directory'));
  await clearStaging(layout);
  assert.equal(readdirSync(join(layout.directory, 'tmp')), []);
});

test('a blob is read at any offset, and as far as it goes', async () => {
  const layout = await newLayout();
  await publishBlob(layout, await stageBlob(layout, Buffer.from('0123456789')));
  const file = await openBlob(layout, digestOf('0123456789'));
  try {
    assert.is(file.size, 10);
    assert.is(Buffer.from(await file.read(3, 4)).toString(), '3456');
    assert.is(Buffer.from(await file.read(8, 4)).toString(), '89');
    assert.is((await file.read(10, 1)).length, 0);
  } finally {
    await file.close();
  }
});

test('a blob that is missing, longer than is sensible, changed in any byte or no file is damage', async () => {
  const layout = await newLayout();
  const bytes = Buffer.from('some bytes');
  const digest = digestOf(bytes);
  const path = blobPath(layout, digest);
  const refused = async (limit = 100) => {
    const error = await errorOf(readBlob(layout, digest, limit));
    assert.instance(error, DamagedError);
    return error.message;
  };
  assert.match(await refused(), /ENOENT/);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    writeFileSync(path, changed);
    assert.match(await refused(), /its bytes are not what its name says/);
    writeFileSync(path, bytes.subarray(0, at));
    assert.match(await refused(), /its bytes are not what its name says/);
  }
  writeFileSync(path, bytes);
  assert.match(await refused(9), /it has 10 bytes, more than the 9 that are sensible/);
  assert.is((await readBlob(layout, digest, 10)).length, 10);
});

test('a directory, and names that are no digests, are no blobs', async () => {
  const layout = await newLayout();
  const directory = join(layout.directory, 'blobs', 'sha256');
  for (const name of ['notes', `${hexOf(digestOf(''))}.damaged`, hexOf(digestOf('')).toUpperCase()])
    writeFileSync(join(directory, name), '');
  mkdirSync(blobPath(layout, digestOf('directory')));
  symlinkSync('/etc', join(directory, 'link'));
  assert.equal(await listBlobs(layout), []);
  assert.is(await blobSize(layout, digestOf('directory')), undefined);
});

test('the next index is not the index before it is published', async () => {
  const layout = await newLayout();
  await stageIndex(layout, encodeIndex([descriptor]));
  assert.equal((await readIndex(layout))?.manifests, []);
  assert.equal((await readStagedIndex(layout))?.manifests, [descriptor]);
  await publishIndex(layout);
  assert.equal((await readIndex(layout))?.manifests, [descriptor]);
  assert.is(await readStagedIndex(layout), undefined);
  assert.not(existsSync(join(layout.directory, 'tmp', 'index.json')));
});

test('an index that is cut, or names what is no descriptor, is as none', async () => {
  const layout = await newLayout();
  const path = join(layout.directory, 'index.json');
  const whole = encodeIndex([descriptor]).trimEnd();
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.slice(0, length));
    assert.is(await readIndex(layout), undefined, `cut to ${length}`);
  }
  for (const wrong of [
    { schemaVersion: 1, manifests: [] },
    { schemaVersion: 2 },
    { schemaVersion: 2, manifests: [null] },
    { schemaVersion: 2, manifests: [{ ...descriptor, digest: 'sha256:../../etc/passwd' }] },
    { schemaVersion: 2, manifests: [{ ...descriptor, size: -1 }] },
    { schemaVersion: 2, manifests: [{ ...descriptor, size: 1.5 }] },
    { schemaVersion: 2, manifests: [{ ...descriptor, mediaType: 5 }] },
    null,
  ]) {
    writeFileSync(path, JSON.stringify(wrong));
    assert.is(await readIndex(layout), undefined, JSON.stringify(wrong));
  }
});

test.run();
