import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Manifest } from '../../../src/oci/descriptor.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { openRepository } from '../../../src/repository/open.ts';
import { readPackIndex } from '../../../src/repository/packs/read-pack-index.ts';
import { backupTypes } from '../../../src/repository/snapshot/media-types.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { file, tarOf } from '../../archive/fixtures/tar.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { imported, makeRepository, stream, wholeSnapshots } from './exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const { directory } = await makeRepository(root, context);
const blob = (digest: string) => readFileSync(join(directory, 'blobs', 'sha256', digest.slice(7)));
const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
const manifest: Manifest = JSON.parse(blob(index.manifests[0].digest).toString());
const config = JSON.parse(blob(manifest.config.digest).toString());

/** An archive whose digests are all right, of a snapshot with another config, and blobs besides its own. */
async function archiveOf(
  changedConfig: unknown,
  more: readonly (string | Buffer)[] = [],
  mediaType: string = backupTypes.pack,
): Promise<Buffer> {
  const text = JSON.stringify(changedConfig);
  const layers = [...manifest.layers, ...more.map((content) => ({ mediaType, ...descriptor(content) }))];
  const changed = JSON.stringify({
    ...manifest,
    config: { ...manifest.config, ...descriptor(text) },
    layers,
  });
  const entries = [changed, text, ...manifest.layers.map(({ digest }) => blob(digest)), ...more];
  const manifests = [{ mediaType: manifest.mediaType, ...descriptor(changed) }];
  return tarOf([
    file('index.json', JSON.stringify({ schemaVersion: 2, manifests })),
    ...entries.map((bytes) => file(`blobs/sha256/${digestOf(bytes).slice(7)}`, bytes)),
  ]);
}

function descriptor(content: string | Buffer): { digest: string; size: number } {
  return { digest: digestOf(content), size: content.length };
}

const newDirectory = () => join(mkdtempSync(join(root, 'into-')), 'repository');
const renamed = (name: unknown) => ({ ...config, sources: [{ ...config.sources[0], name }] });
const configs: Record<string, unknown> = {
  'a source that climbs out of where it is restored to': renamed('../../files'),
  'a source that is an absolute path': renamed('/etc'),
  'a source that is hidden': renamed('.ssh'),
  'a source that is an option': renamed('-rf'),
  'a source of several words': renamed('a b\nc'),
  'a source without a name': renamed(''),
  'two sources of one name': { ...config, sources: [config.sources[0], config.sources[0]] },
  'a repository that climbs out of the state directory': { ...config, repository: '../../../etc' },
  'a repository without a name': { ...config, repository: '' },
  'something that is no config': { format: 1 },
};

for (const [what, changed] of Object.entries(configs)) {
  test(`${what} is refused before anything is written`, async () => {
    const into = newDirectory();
    const archive = await archiveOf(changed);
    await rejects(() => imported(into, stream(archive), context), DamagedError);
    assert.equal(readdirSync(join(into, 'blobs', 'sha256')), []);
  });
}

test('the archives of these tests are good but for what they change', async () => {
  const into = newDirectory();
  await imported(into, stream(await archiveOf({ ...config, host: backupTypes.snapshot })), context);
  assert.is((await wholeSnapshots(into, context)).length, 1);
});

test('notes that are none are as those that cannot be read', async () => {
  const [source] = config.sources;
  for (const notes of [null, 5, { [source.name]: 5 }, { [source.name]: [null] }, [[source.name]]]) {
    const into = newDirectory();
    const blob = zstdCompressSync(JSON.stringify(notes));
    const changed = { ...config, notes: digestOf(blob), sources: [{ ...source, warnings: 2 }] };
    const { snapshot } = await imported(into, stream(await archiveOf(changed, [blob])), context);
    assert.equal(snapshot.sources[0]?.warnings, ['2 warnings that cannot be read']);
  }
});

test('notes too long for any warnings are not read: they would hold up whoever lists the snapshots', async () => {
  const [source] = config.sources;
  const into = newDirectory();
  const blob = zstdCompressSync(JSON.stringify({ [source.name]: ['x'.repeat(9 << 20)] }));
  const changed = { ...config, notes: digestOf(blob), sources: [{ ...source, warnings: 1 }] };
  const { snapshot } = await imported(into, stream(await archiveOf(changed, [blob])), context);
  assert.equal(snapshot.sources[0]?.warnings, ['1 warning that cannot be read']);
});

test('notes of more warnings than there ever are count as unreadable: those of every snapshot are kept', async () => {
  const [source] = config.sources;
  const into = newDirectory();
  const blob = zstdCompressSync(JSON.stringify({ [source.name]: Array(1000).fill('x') }));
  const changed = { ...config, notes: digestOf(blob), sources: [{ ...source, warnings: 201 }] };
  const { snapshot } = await imported(into, stream(await archiveOf(changed, [blob])), context);
  assert.equal(snapshot.sources[0]?.warnings, ['201 warnings that cannot be read']);
});

test('an index that goes on where every one has ended does not even become one text', async () => {
  const into = newDirectory();
  const blob = zstdCompressSync(Buffer.alloc(64 << 20, '\n'));
  await imported(into, stream(await archiveOf(config, [blob], backupTypes.index)), context);
  const store = { directory: into, identities: [], recipients: [], cache: undefined };
  const error = await rejects(() => readPackIndex(store, { digest: digestOf(blob) }), DamagedError);
  assert.match(error.message, /larger than 16777216 bytes/);
});

test('a segment of a tree that goes on where every one has ended is damage, however little it says', async () => {
  const [source] = config.sources;
  const into = newDirectory();
  const blob = zstdCompressSync(Buffer.alloc(5 << 20, '\n'));
  const changed = { ...config, sources: [{ ...source, tree: [digestOf(blob)] }] };
  await imported(into, stream(await archiveOf(changed, [blob], backupTypes.tree)), context);
  const repository = await openRepository(into, context);
  const { damage } = await repository.verify({ readData: true }, context);
  await repository.close();
  assert.match(damage.map(({ message }) => message).join('\n'), /goes on where every segment has ended/);
});

test('a blob that passes for the manifest of a snapshot is refused: it would stop removing for ever', async () => {
  const into = newDirectory();
  const missing = { mediaType: backupTypes.config, digest: digestOf('nowhere'), size: 7 };
  const fake = JSON.stringify({ artifactType: backupTypes.snapshot, config: missing, layers: [] });
  const archive = await archiveOf(config, [fake]);
  const error = await rejects(() => imported(into, stream(archive), context), DamagedError);
  assert.match(error.message, /passes for a manifest/);
  assert.equal(await wholeSnapshots(into, context), []);
});

test.run();
