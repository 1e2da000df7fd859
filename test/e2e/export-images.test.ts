import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Index } from '../../src/oci/descriptor.ts';
import { hexOf } from '../../src/oci/digest.ts';
import { encodeIdentity, encodeRecipient, generateIdentity } from '../../src/repository/age/keys.ts';
import { decodeManifest } from '../../src/repository/snapshot/manifest.ts';
import { runCli } from '../support/cli.ts';
import { testEngine } from '../support/engine.ts';
import { dockerArchive, streamOf, uniqueName } from '../support/images.ts';
import { makeSshKey, writeAllowedSigners } from '../support/ssh-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const name = uniqueName('exported');
const [web, db] = [`${name}/web:1.4`, `${name}/db:1.4`];
const identity = generateIdentity();
const stranger = writeAllowedSigners(join(root, 'strangers'), [
  { key: makeSshKey(root, 'stranger'), as: 'stranger.example' },
]);
const { socket, engine } = await testEngine();
const shared = { [`${name}-base`]: 'base'.repeat(9000) };
await engine.images.load(
  streamOf(
    await dockerArchive([
      { references: [web], layers: [shared, { [`${name}-web`]: 'web' }] },
      { references: [db], layers: [shared, { [`${name}-db`]: 'db' }] },
    ]),
  ),
);
const ids = await idsThere();
test.after(removeImages);

mkdirSync(join(root, 'data'));
writeFileSync(join(root, 'data', 'file'), 'content');

/** Backs up with the images, into a repository of its own, and exports that. */
async function backUp(
  kind: string,
  settings = '',
  more = '',
): Promise<{ repository: string; archive: string }> {
  const repository = join(root, kind);
  const file = join(root, `${kind}.yaml`);
  const text = `name: ${name}
services: {web: {image: ${web}}, db: {image: ${db}}${more}}
x-dockerctl:
  backup:
    repository: ${repository}
    ${settings}
    sources: {data: {paths: [${root}/data]}, images: {images: true}}
`;
  writeFileSync(file, text, { mode: 0o600 });
  const run = (...argv: string[]) =>
    runCli(['-f', file, '--state-dir', `${repository}-state`, '--host', `unix://${socket}`, ...argv]);
  const { status, stderr } = await run('backup');
  assert.is(status, 0, stderr);
  const archive = join(root, `${kind}.tar`);
  assert.is((await run('backup', 'export', 'latest', '-o', archive)).status, 0);
  return { repository, archive };
}

const plain = await backUp('plain');

function dockerctl(...argv: string[]) {
  const environment = { DOCKERCTL_STATE_DIR: join(root, 'state') };
  return runCli(argv, { environment, workingDirectory: root });
}

test('the images of a snapshot come out as a bundle that docker load reads, from a repository or from an archive', async () => {
  const from = {
    'a.tar': ['latest', '-r', plain.repository],
    'b.tar.xz': [plain.archive],
    'c.tar.gz': [plain.archive],
  };
  for (const [file, source] of Object.entries(from)) {
    const done = await dockerctl('backup', 'export', ...source, '--images', '-o', file);
    assert.is(done.status, 0, done.stderr);
    await removeImages();
    execFileSync('docker', ['-H', `unix://${socket}`, 'load', '-q', '-i', join(root, file)]);
    assert.equal(await idsThere(), ids, file);
    assert.is((await dockerctl('images', 'verify', file)).status, 0);
    assert.match((await dockerctl('images', 'inspect', file)).stdout, web);
  }
});

test('they are split for small media like any bundle', async () => {
  const done = await dockerctl(
    'backup',
    'export',
    plain.archive,
    '--images',
    '-o',
    'parts.tar',
    '--split',
    '20K',
  );
  assert.is(done.status, 0, done.stderr);
  const parts = readdirSync(root).filter((part) => part.startsWith('parts.tar.'));
  assert.ok(parts.length > 1);
  await removeImages();
  const load = ['images', 'load', ...parts, '--host', `unix://${socket}`, '--release', '1.4'];
  const loaded = await dockerctl(...load, '--yes');
  assert.is(loaded.status, 0, loaded.stderr);
  assert.equal(await idsThere(), ids);
});

test('what is encrypted needs the key, and what no signer vouches for does not come out', async () => {
  writeFileSync(join(root, 'key'), encodeIdentity(identity));
  const sealed = await backUp('sealed', `recipients: [${encodeRecipient(identity)}]`);
  const out = ['--images', '-o', 'sealed-images.tar'];
  assert.is((await dockerctl('backup', 'export', sealed.archive, ...out)).status, 12);
  assert.is(
    (await dockerctl('backup', 'export', sealed.archive, ...out, '-i', 'key', '--signers', stranger)).status,
    12,
  );
  assert.not.ok(existsSync(join(root, 'sealed-images.tar')));
  assert.is((await dockerctl('backup', 'export', sealed.archive, ...out, '-i', 'key')).status, 0);
  assert.is((await dockerctl('images', 'verify', 'sealed-images.tar')).status, 0);
});

test('of images that are damaged nothing comes out, and it is told what can be done', async () => {
  const spoilt = join(root, 'spoilt');
  cpSync(plain.repository, spoilt, { recursive: true });
  const blobs = join(spoilt, 'blobs', 'sha256');
  const { manifests } = JSON.parse(readFileSync(join(spoilt, 'index.json'), 'utf8')) as Index;
  const { digest } = manifests[0]!;
  const { packs } = decodeManifest(readFileSync(join(blobs, hexOf(digest))), digest);
  rmSync(join(blobs, hexOf(packs.find(({ source }) => source === 'images')!.digest)));
  const out = await dockerctl('backup', 'export', 'latest', '-r', spoilt, '--images', '-o', 'spoilt.tar');
  assert.is(out.status, 14);
  assert.match(out.stderr, /^dockerctl: exporting the images of snapshot [0-9a-f]{12}: /);
  assert.match(out.stderr, '--skip-damaged takes the images that are');
  assert.not.ok(existsSync(join(root, 'spoilt.tar')));
  const none = ['backup', 'export', 'latest', '-r', spoilt, '--images', '--skip-damaged', '-o', 'spoilt.tar'];
  assert.is((await dockerctl(...none)).status, 14, 'there is nothing left');
  assert.not.ok(existsSync(join(root, 'spoilt.tar')));
});

test('with --skip-damaged the images that are whole come out, and the others are named', async () => {
  const later = `${name}/later:1.4`;
  const layer = { [`${name}-later`]: randomBytes(4_000_000).toString('hex') };
  await engine.images.load(streamOf(await dockerArchive([{ references: [later], layers: [layer] }])));
  test.after(() => engine.images.remove(later, { force: true }));
  const { repository } = await backUp('later', '', `, later: {image: ${later}}`);
  const blobs = readdirSync(join(repository, 'blobs', 'sha256')).map((blob) =>
    join(repository, 'blobs', 'sha256', blob),
  );
  const [pack = '', ...more] = blobs.filter((path) => statSync(path).size > 3_500_000);
  assert.equal(more, []);
  const bytes = readFileSync(pack);
  bytes.fill(0, 3_000_000, 3_001_000); // The layer lies there; what tells of the images lies before it.
  writeFileSync(pack, bytes);
  const out = await dockerctl(
    'backup',
    'export',
    'latest',
    '-r',
    repository,
    '--images',
    '--skip-damaged',
    '-o',
    'left.tar',
    '--json',
  );
  assert.is(out.status, 14, out.stderr);
  assert.match(out.stderr, `image ${later} is left out: `);
  assert.equal(
    JSON.parse(out.stdout).lost.map(({ image }: { image: string }) => image),
    [later],
  );
  await removeImages();
  execFileSync('docker', ['-H', `unix://${socket}`, 'load', '-q', '-i', join(root, 'left.tar')]);
  assert.equal(await idsThere(), ids);
  assert.is((await dockerctl('images', 'verify', 'left.tar')).status, 0);
  assert.is(
    (await dockerctl('backup', 'export', 'latest', '-r', repository, '--skip-damaged', '-o', 'x.tar')).status,
    2,
  );
});

test('a snapshot without images says what it holds', async () => {
  writeFileSync(
    join(root, 'bare.yaml'),
    `name: bare\nx-dockerctl: {backup: {repository: ${root}/bare, sources: {data: {paths: [${root}/data]}}}}\n`,
    { mode: 0o600 },
  );
  assert.is((await dockerctl('-f', 'bare.yaml', 'backup')).status, 0);
  const { status, stderr } = await dockerctl(
    'backup',
    'export',
    'latest',
    '-r',
    'bare',
    '--images',
    '-o',
    'no.tar',
  );
  assert.is(status, 10);
  assert.match(stderr, /holds no images\n.*It holds deployment, data/);
  assert.not.ok(existsSync(join(root, 'no.tar')));
});

async function idsThere(): Promise<(string | undefined)[]> {
  return Promise.all([web, db].map(async (image) => (await engine.images.inspect(image))?.id));
}

async function removeImages(): Promise<void> {
  for (const image of [web, db]) await engine.images.remove(image, { force: true }).catch(() => {});
}

test.run();
