/** A machine that has an engine and one archive, and no deployment file. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Index } from '../../src/oci/descriptor.ts';
import { blobName } from '../../src/oci/digest.ts';
import { decodeManifest } from '../../src/repository/snapshot/manifest.ts';
import { runCli } from '../support/cli.ts';
import { testEngine } from '../support/engine.ts';
import { loadBusyboxImage, uniqueName } from '../support/images.ts';
import { makeSshKey, writeAllowedSigners } from '../support/ssh-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const name = uniqueName('adopted');
const { socket, engine } = await testEngine();
const image = await loadBusyboxImage(engine);
const key = makeSshKey(root, 'host');
const signers = writeAllowedSigners(join(root, 'signers'), [{ key, as: 'master.example' }]);
const etc = join(root, 'etc');
const file = join(etc, 'deployment.yaml');
const archive = join(root, 'shop.tar');
const hooked = join(root, 'hooked');
const text = `name: ${name}
x-dockerctl:
  release: "1"
  backup:
    repository: ${root}/repository
    signing-key: ${key}
    refuse-while: [{name: the host is asked, run: [sh, -c, "echo asked >>${hooked}; echo idle"], matches: busy}]
    sources:
      data: {title: The data, paths: [${root}/data]}
      images: {images: true}
services:
  web:
    image: ${image}
    network_mode: none
    init: true
    command: [sleep, "100000"]
    volumes: ["${root}/data:/data:ro"]
    x-dockerctl:
      hooks:
        post-start: [{host: [sh, -c, "echo started >>${hooked}"]}]
        post-stop: [{host: [sh, -c, "echo stopped >>${hooked}"]}]
`;

/** As a machine that knows nothing, but for options. */
function bare(...argv: string[]) {
  const environment = { DOCKERCTL_STATE_DIR: join(root, 'bare-state') };
  const options = { environment, workingDirectory: join(root, 'empty') };
  return runCli(['--host', `unix://${socket}`, ...argv], options);
}

const onHost = (...argv: string[]) => bare('-f', file, ...argv);

async function loseEverything(): Promise<void> {
  mkdirSync(etc, { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
  await onHost('destroy', 'all', '--yes');
  await engine.images.remove(image, { force: true }).catch(() => {});
  for (const lost of [etc, hooked, join(root, 'data'), join(root, 'bare-state')])
    rmSync(lost, { recursive: true, force: true });
}

const said = () => (existsSync(hooked) ? readFileSync(hooked, 'utf8').trim().split('\n') : []);

for (const directory of [etc, join(root, 'empty'), join(root, 'data')]) mkdirSync(directory, { mode: 0o700 });
writeFileSync(file, text, { mode: 0o600 });
writeFileSync(join(root, 'data', 'page'), 'hello');
const started = await onHost('start', 'all');
assert.is(started.status, 0, started.stderr);
const saved = await onHost('backup');
assert.is(saved.status, 0, saved.stderr);
assert.is((await onHost('backup', 'export', 'latest', '-o', archive)).status, 0);
assert.equal(said(), ['started', 'asked']);
test.after(loseEverything);

test('everything comes back from the archive alone, and a stranger runs nothing on this host', async () => {
  await loseEverything();
  const plan = await bare('restore', archive, '--dry-run');
  assert.is(plan.status, 0, plan.stderr);
  assert.match(plan.stdout, `note: the deployment file comes from the snapshot, and is put at ${file}`);
  assert.match(
    plan.stdout,
    'not run on this host without --allow-hooks: post-start of web: sh -c echo started',
  );
  assert.match(plan.stdout, /which nobody here vouches for; digest sha256:[0-9a-f]{64}/);
  assert.not.ok(existsSync(file));
  const done = await bare('restore', archive, '--yes');
  assert.is(done.status, 0, done.stderr);
  assert.match(done.stdout, 'running and ready: web');
  assert.is(readFileSync(join(root, 'data', 'page'), 'utf8'), 'hello');
  assert.is(readFileSync(file, 'utf8'), text);
  assert.is(statSync(file).mode & 0o777, 0o600);
  assert.equal(said(), []);
});

test('the way back runs nothing of it either', async () => {
  writeFileSync(join(root, 'data', 'page'), 'changed');
  rmSync(file);
  assert.is((await bare('restore', archive, '--yes')).status, 0);
  const back = await bare('restore', '--rollback', '--yes');
  assert.is(back.status, 0, back.stderr);
  assert.is(readFileSync(join(root, 'data', 'page'), 'utf8'), 'changed');
  assert.not.ok(existsSync(file), 'it came with the restore, and goes with it');
  assert.equal(said(), []);
});

test('the way back leaves a deployment file that somebody has changed since', async () => {
  assert.is((await bare('restore', archive, '--yes')).status, 0);
  writeFileSync(file, `${text}# mine\n`, { mode: 0o600 });
  assert.is((await bare('restore', '--rollback', '--yes')).status, 0);
  assert.is(readFileSync(file, 'utf8'), `${text}# mine\n`);
});

test('with --allow-hooks, or signed by somebody whom the operator trusts, it runs all of it', async () => {
  for (const vouched of [['--allow-hooks'], ['--signers', signers]]) {
    await loseEverything();
    const done = await bare('restore', archive, '--yes', ...vouched);
    assert.is(done.status, 0, done.stderr);
    assert.equal(said(), ['asked', 'started'], vouched.join(' '));
  }
});

test('a restore that fails takes the deployment file away again, and one that is there is not replaced', async () => {
  await loseEverything();
  mkdirSync(etc, { mode: 0o700 });
  writeFileSync(file, 'name: mine\n', { mode: 0o600 });
  const refused = await bare('restore', archive, '--yes');
  assert.is(refused.status, 2, refused.stderr);
  assert.match(refused.stderr, `Say --file ${file}`);
  assert.is(readFileSync(file, 'utf8'), 'name: mine\n');
  rmSync(file);
  const spoilt = join(root, 'spoilt.tar');
  const bytes = readFileSync(archive);
  const at = bytes.indexOf(packOf('data')) + 512; // Behind the header of its entry.
  bytes.fill(0xff, at, at + 64);
  writeFileSync(spoilt, bytes);
  assert.is((await bare('restore', spoilt, '--yes')).status, 14);
  assert.not.ok(existsSync(file));
  assert.not.ok(existsSync(join(root, 'data')));
});

test('images that are damaged are told of where the engine lacks them, and not said to be restored where it has them', async () => {
  const path = join(root, 'repository', packOf('images'));
  const pack = readFileSync(path);
  const repository = ['--repository', join(root, 'repository')];
  const bundle = join(root, 'images.tar');
  assert.is((await bare('backup', 'export', 'latest', ...repository, '--images', '-o', bundle)).status, 0);
  try {
    await loseEverything();
    writeFileSync(path, flipped(pack));
    const refused = await bare('restore', 'latest', ...repository, '--yes');
    assert.is(refused.status, 14, refused.stdout);
    assert.is(await engine.images.inspect(image), undefined);
    assert.not.ok(existsSync(join(root, 'data')));
    assert.is((await bare('images', 'load', bundle)).status, 0);
    const done = await bare('restore', 'latest', ...repository, '--yes');
    assert.is(done.status, 0, done.stderr);
    assert.match(done.stdout, 'running and ready: web');
    assert.not.match(done.stdout, /restored images/i);
    const planned = await onHost('restore', 'latest', ...repository, '--dry-run');
    assert.match(planned.stdout, 'leaves out images: the engine has the images that are needed');
  } finally {
    writeFileSync(path, pack);
  }
});

test('images that are chosen by name are loaded, though no service is to be created', async () => {
  await onHost('destroy', 'all', '--yes');
  await engine.images.remove(image, { force: true });
  const done = await onHost('restore', 'latest', '--only', 'images', '--yes');
  assert.is(done.status, 0, done.stderr);
  assert.match(done.stdout, /restored images: \d+ files/);
  assert.ok(await engine.images.inspect(image));
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1]! ^= 4;
  return copy;
}

/** The name in the archive of the pack that holds a source's content. */
function packOf(source: string): string {
  const repository = join(root, 'repository');
  const { manifests } = JSON.parse(readFileSync(join(repository, 'index.json'), 'utf8')) as Index;
  const { digest } = manifests[0]!;
  const { packs } = decodeManifest(readFileSync(join(repository, blobName(digest))), digest);
  return blobName(packs.find((pack) => pack.source === source)!.digest);
}

test.run();
