/** Bundles in the hands of tools that know nothing of dockerctl, and from engines on either store. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { BundleFormat } from '../../src/archive/compress/block-format.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { isDigest } from '../../src/oci/digest.ts';
import { openCatalog } from '../../src/releases/catalog/catalog.ts';
import { baseOfReceipt, writeReceipt } from '../../src/releases/save/receipt.ts';
import { type SaveRequest, saveImages } from '../../src/releases/save/save.ts';
import { silent } from '../../src/support/progress.ts';
import { needProgram } from '../support/debian-program.ts';
import { testEngine, throwawayEngine } from '../support/engine.ts';
import { dockerArchive, streamOf, uniqueName } from '../support/images.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const name = uniqueName('bundle');
const old = `${name}/web:1.3`;
const web = `${name}/web:1.4`;
const db = `${name}/db:1.4`;
const file = (text: string) => ({ [`${name}-${text.slice(0, 4)}`]: text });
const images = [
  { references: [old], layers: [file('base'.repeat(9000)), file('old')] },
  { references: [web, `${name}/web:latest`], layers: [file('base'.repeat(9000)), file('new'), file('more')] },
  { references: [db], layers: [file('base'.repeat(9000)), file('data')] },
];
const formats = ['tar', 'tar.gz', 'tar.zst', 'tar.xz'] as const;
const everything = [old, web, `${name}/web:latest`, db];

const classic = await testEngine();
const containerd = await throwawayEngine('containerd', { store: 'containerd' });
test.after(() => containerd.stop());
await classic.engine.images.load(streamOf(await dockerArchive(images)));
test.after(async () => {
  for (const reference of everything) await classic.engine.images.remove(reference).catch(() => {});
});

const context = {
  progress: silent,
  signal: new AbortController().signal,
  now: () => new Date(0),
  stateDir: directory,
};

async function save(
  engine: Engine,
  format: BundleFormat,
  request: Partial<SaveRequest> = {},
): Promise<string> {
  const path = join(directory, `${uniqueName('shop')}.${format}`);
  const target = { kind: 'file', path } as const;
  await saveImages(engine, { images: everything, format, target, tool: 'test', ...request }, context);
  return path;
}

function docker(socket: string, ...args: string[]): string {
  return execFileSync('docker', ['-H', `unix://${socket}`, ...args], { encoding: 'utf8' });
}

async function diffIds(engine: Engine): Promise<(string[] | undefined)[]> {
  return await Promise.all(
    everything.map(async (reference) => (await engine.images.inspect(reference))?.diffIds),
  );
}

async function removeAll(engine: Engine): Promise<void> {
  for (const reference of everything) await engine.images.remove(reference, { force: true }).catch(() => {});
}

const expected = await diffIds(classic.engine);

for (const format of formats) {
  test(`docker load reads a .${format} on the containerd store, and saving it there gives the same bytes`, async () => {
    const path = await save(classic.engine, format);
    docker(containerd.socket, 'load', '-i', path);
    assert.equal(await diffIds(containerd.engine), expected);
    assert.ok(readFileSync(await save(containerd.engine, format)).equals(readFileSync(path)));
    await removeAll(containerd.engine);
  });
}

test('docker load reads a bundle on the classic store', async () => {
  // The containerd engine tells whether the archive is whole; here zstd is unknown to the engine.
  const paths = await Promise.all(
    (['tar', 'tar.gz', 'tar.xz'] as const).map((format) => save(classic.engine, format)),
  );
  for (const path of paths) {
    await removeAll(classic.engine);
    docker(classic.socket, 'load', '-i', path);
    assert.equal(await diffIds(classic.engine), expected);
  }
});

for (const [store, { engine, socket }] of [
  ['classic', classic],
  ['containerd', containerd],
] as const) {
  test(`docker load completes a delta on the ${store} store with what is there`, async () => {
    const base = await save(classic.engine, 'tar', { images: [old] });
    const whole = await save(classic.engine, 'tar.gz');
    await removeAll(engine);
    const catalog = openCatalog(join(directory, store));
    const about = { tool: 'test', host: 'receiver', now: new Date(0) };
    docker(socket, 'load', '-i', base);
    const receipt = await writeReceipt({ engine, catalog }, about);
    const known = receipt.images.find(({ references }) => references.includes(old));
    assert.equal(known?.layers, expected[0]?.filter(isDigest));
    if (store === 'classic') docker(socket, 'load', '-i', whole);
    const delta = await save(classic.engine, 'tar', { images: [web, db], base: baseOfReceipt(receipt) });
    const names = execFileSync('tar', ['-tf', delta], { encoding: 'utf8' });
    for (const [i, layer] of expected[1]!.entries()) assert.is(names.includes(layer.slice(7)), i > 0);
    for (const reference of [web, `${name}/web:latest`, db])
      await engine.images.remove(reference).catch(() => {});
    docker(socket, 'load', '-i', delta);
    const after = await diffIds(engine);
    assert.equal([after[1], after[3]], [expected[1], expected[3]]);
    docker(classic.socket, 'load', '-i', whole);
  });
}

test('skopeo reads a bundle as docker-archive and as oci-archive', async () => {
  needProgram('skopeo');
  for (const format of formats) {
    const path = await save(classic.engine, format);
    const tags = execFileSync('skopeo', ['list-tags', `docker-archive:${path}`], { encoding: 'utf8' });
    assert.equal(JSON.parse(tags).Tags.toSorted(), everything.toSorted());
    const docker = execFileSync('skopeo', ['inspect', `docker-archive:${path}:${web}`], { encoding: 'utf8' });
    assert.equal(JSON.parse(docker).Layers, expected[1]);
    const oci = execFileSync('skopeo', ['inspect', `oci-archive:${path}:latest`], { encoding: 'utf8' });
    assert.equal(JSON.parse(oci).Layers, expected[1]);
  }
});

test('podman load reads a bundle of several images, and of one', async () => {
  needProgram('podman');
  const root = join(directory, 'podman');
  mkdirSync(root);
  const podman = (...args: string[]) =>
    execFileSync(
      'podman',
      ['--root', join(root, 'data'), '--runroot', join(root, 'run'), '--storage-driver', 'vfs', ...args],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  for (const format of formats) {
    const loaded = podman('load', '-i', await save(classic.engine, format));
    for (const reference of everything) assert.ok(loaded.includes(reference), loaded);
    podman('rmi', '--all', '--force');
  }
  const one = podman('load', '-i', await save(classic.engine, 'tar.xz', { images: [db] }));
  assert.match(one, `docker.io/${db}`);
});

test.run();
