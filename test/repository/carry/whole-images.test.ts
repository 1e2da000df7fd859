import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeReleaseDocument, releaseDocumentPath } from '../../../src/archive/index/release-document.ts';
import { blobName, digestOf, hexOf } from '../../../src/oci/digest.ts';
import { imageBundle, wholeImagesOf } from '../../../src/repository/carry/image-bundle.ts';
import { comparePaths } from '../../../src/repository/entry.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const repository = await openOrCreateRepository(join(root, 'repository'), context);
test.after(() => repository.close());

const part = (text: string) => ({ digest: digestOf(text), size: text.length, text });
const imageOf = (name: string) => {
  const [manifest, config, layer] = ['manifest', 'config', 'layer'].map((kind) => part(`${kind} of ${name}`));
  return { references: [name], manifest: manifest!, config: config!, layers: [layer!] };
};
const images = [imageOf('good'), imageOf('bad')];

/** Files of a bundle of both, saved as a source of images; the tree may say something else of how long they are. */
async function save(into: Repository, lies: Record<string, number> = {}): Promise<Snapshot> {
  const platform = { os: 'linux', architecture: 'amd64' };
  const release = { tool: 'test', images: images.map((image) => ({ ...image, platform })), attachments: [] };
  const manifests = images.map(({ manifest }) => ({ digest: manifest.digest }));
  const blobs = images.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
  const files: Record<string, string> = {
    'oci-layout': '{}',
    'index.json': JSON.stringify({ manifests }),
    'manifest.json': JSON.stringify(images.map(({ config }) => ({ Config: blobName(config.digest) }))),
    [releaseDocumentPath]: encodeReleaseDocument(release),
    ...Object.fromEntries(blobs.map(({ digest, text }) => [blobName(digest), text])),
  };
  const run = await into.beginRun({ host: 'here', deployment: 'test', release: undefined }, context);
  const writer = await run.beginSource({ name: 'images', title: 'Images', kind: 'images', origin: {} });
  for (const path of Object.keys(files).sort(comparePaths)) {
    const stored = await writer.storeStream(Readable.from([Buffer.from(files[path]!)]));
    const size = lies[path] ?? stored.size;
    const metadata = { path, type: 'file' as const, mode: 0o600, uid: 0, gid: 0, mtime: 0n };
    await writer.add({ ...metadata, chunks: stored.chunks, size });
  }
  await writer.end();
  return run.commit();
}

test('an image of which a blob is longer than its tree says is left out, and the others make a bundle', async () => {
  const snapshot = await save(repository, { [blobName(images[1]!.layers[0]!.digest)]: 3 });
  const whole = await wholeImagesOf(repository, snapshot, context);
  assert.equal(
    whole.lost.map(({ image }) => image),
    ['bad'],
  );
  assert.match(whole.lost[0]!.reason, /it has \d+ bytes or more, not 3/);
  const bundle = Buffer.concat(await Array.fromAsync(imageBundle(repository, snapshot, whole)));
  assert.ok(bundle.includes('layer of good'));
  for (const { digest } of [images[1]!.manifest, images[1]!.config]) {
    assert.not(bundle.includes(hexOf(digest)), 'nothing in it tells of the other');
  }
  await rejects(() => Array.fromAsync(imageBundle(repository, snapshot)), DamagedError);
});

test('where no image is whole there is no bundle, and it is told why', async () => {
  const layers = images.map(({ layers: [layer] }) => [blobName(layer!.digest), 3]);
  const snapshot = await save(repository, Object.fromEntries(layers));
  const error = await rejects(() => wholeImagesOf(repository, snapshot, context), DamagedError);
  assert.match(error.message, /none of them is whole: .* bytes or more, not 3/);
});

test('a document that is longer than its tree says is not read on and on', async () => {
  const snapshot = await save(repository, { 'index.json': 2 });
  const error = await rejects(() => wholeImagesOf(repository, snapshot, context), DamagedError);
  assert.match(error.message, /index.json, which tells of them, is lost: it has \d+ bytes or more, not 2/);
});

test.run();
