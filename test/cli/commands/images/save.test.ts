import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectEngine } from '../../../../src/engine/connect.ts';
import { runCli } from '../../../support/cli.ts';
import { testEngine } from '../../../support/engine.ts';
import { dockerArchive, streamOf, uniqueName } from '../../../support/images.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const { socket } = await testEngine();
const engine = connectEngine({ host: `unix://${socket}` });
const environment = { DOCKER_HOST: `unix://${socket}`, DOCKERCTL_STATE_DIR: join(directory, 'state') };
const workingDirectory = join(directory, 'work');
mkdirSync(workingDirectory);
const images = (...args: string[]) => runCli(['images', ...args], { environment, workingDirectory });

const name = uniqueName('save-cli');
const layer = (text: string) => ({ [`${name}-${text}`]: text.repeat(5000) });
const old = { references: [`${name}:1.3`], layers: [layer('base'), layer('old')] };
const upgraded = { references: [`${name}:1.4`], layers: [layer('base'), layer('new')] };
await engine.images.load(streamOf(await dockerArchive([old, upgraded])));

async function diffIdsOf(reference: string): Promise<string[] | undefined> {
  return (await engine.images.inspect(reference))?.diffIds;
}

test.after(async () => {
  for (const tag of ['1.3', '1.4']) await engine.images.remove(`${name}:${tag}`).catch(() => {});
});

for (const format of ['tar', 'tar.gz', 'tar.xz']) {
  test(`a bundle saved as .${format} is loaded by docker load`, async () => {
    const before = await diffIdsOf(`${name}:1.4`);
    const saved = await images('save', `${name}:1.4`, '-o', `shop.${format}`);
    assert.is(saved.status, 0, saved.stderr);
    assert.match(saved.stdout, join(workingDirectory, `shop.${format}`));
    assert.is(statSync(join(workingDirectory, `shop.${format}`)).mode & 0o777, 0o600);
    await engine.images.remove(`${name}:1.4`);
    execFileSync('docker', [
      '-H',
      `unix://${socket}`,
      'load',
      '-i',
      join(workingDirectory, `shop.${format}`),
    ]);
    assert.equal(await diffIdsOf(`${name}:1.4`), before);
  });
}

test('standard output gets the bundle and nothing else', async () => {
  const { status, stdout } = await images('save', `${name}:1.4`, '-q');
  assert.is(status, 0);
  assert.is(stdout.slice(0, 22), 'dockerctl/release.json');
});

test('a delta since a receipt leaves out what is there; a base that nobody knows is not found', async () => {
  assert.is((await images('receipt', '-o', 'receipt.json')).status, 0);
  assert.ok(JSON.parse(readFileSync(join(workingDirectory, 'receipt.json'), 'utf8')).images.length >= 2);
  const { status, stdout, stderr } = await images(
    ...['save', `${name}:1.4`, '-o', 'delta.tar', '--since', 'receipt.json', '--json'],
  );
  assert.is(status, 0, stderr);
  assert.is(JSON.parse(stdout).document.base.layers.length, 2);
  const unknown = await images('save', `${name}:1.4`, '-o', 'x.tar', '--since', 'recipt.json');
  assert.is(unknown.status, 10);
  assert.match(unknown.stderr, '--since recipt.json: there is no such file, and the catalog has no release');
  assert.not.ok(existsSync(join(workingDirectory, 'x.tar')));
});

test('volumes are written under one name', async () => {
  const { status, stdout } = await images(
    'save',
    `${name}:1.4`,
    '-o',
    'split.tar',
    '--split',
    '20k',
    '--json',
  );
  assert.is(status, 0);
  const { files } = JSON.parse(stdout);
  assert.ok(files.length > 2);
  assert.equal(
    readdirSync(workingDirectory)
      .filter((file) => file.startsWith('split'))
      .map((file) => join(workingDirectory, file)),
    files,
  );
});

test('what cannot be done is said before anything is read', async () => {
  for (const [status, ...args] of [
    [2, 'save', `${name}:1.4`, '-o', 'shop'],
    [2, 'save', `${name}:1.4`, '-o', 'shop.tar', '--format', 'lrz'],
    [2, 'save', `${name}:1.4`, '-o', 'shop.tar', '--level', '3'],
    [2, 'save', `${name}:1.4`, '-o', 'shop.tar', '--split', 'some'],
    [2, 'save', `${name}:1.4`, '--split', '4G'],
    [2, 'save', `${name}:1.4`, '-o', '.', '--format', 'tar'],
    [10, 'save', `${name}:1.4`, '-o', 'no/shop.tar'],
    [10, 'save', `${name}:9`, '-o', 'shop.tar'],
    [10, 'save', `${name}:1.4`, '-o', 'shop.tar', '--attach', 'nowhere.json'],
    [12, 'save', `${name}:1.4`, '-o', 'shop.tar', '--sign', 'nowhere'],
  ] as const) {
    const result = await images(...(args as readonly string[]));
    assert.is(result.status, status, `${args.join(' ')}: ${result.stderr}`);
    assert.ok(result.stderr.trimEnd().split('\n').length <= 3);
  }
});

test.run();
