import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connectEngine } from '../../src/engine/connect.ts';
import { docker113 } from '../archive/fixtures/eras.ts';
import { fixtureImage } from '../archive/fixtures/images.ts';
import { tarOf } from '../archive/fixtures/tar.ts';
import { runCli } from '../support/cli.ts';
import { testEngine } from '../support/engine.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const { socket } = await testEngine();
const engine = connectEngine({ host: `unix://${socket}` });
const environment = { DOCKER_HOST: `unix://${socket}`, DOCKERCTL_STATE_DIR: join(directory, 'state') };
const images = (args: string[], stdin?: Uint8Array) =>
  runCli(['images', ...args], { environment, ...(stdin && { stdin }) });

const reference = `dockerctl-cli-test/${process.pid}:7.2`;
const archive = await tarOf(
  docker113([await fixtureImage({ references: [reference], contents: [reference] })]),
);

test('images load reads standard input, and images list knows the release afterwards', async () => {
  const loaded = await images(['load', '-'], gzipSync(archive));
  try {
    assert.is(loaded.status, 0, loaded.stderr);
    assert.match(loaded.stdout, reference);
    const { stdout } = await images(['list', '--release', '7.2', '--json']);
    assert.equal(JSON.parse(stdout)[0].images[0].references, [reference]);
  } finally {
    await engine.images.remove(reference).catch(() => {});
  }
});

test('an lrz file, whatever its name, exits 2 with the command that converts it', async () => {
  const path = join(directory, 'upgrade.tar.xz');
  writeFileSync(path, Buffer.concat([Buffer.from('LRZI'), Buffer.alloc(1000)]));
  const { status, stderr } = await images(['load', path]);
  assert.is(status, 2);
  assert.match(stderr, `lrzip -d ${path}`);
});

test('a truncated archive exits 14 in at most three lines, and the engine holds nothing of it', async () => {
  const path = join(directory, 'cut.tar');
  writeFileSync(path, archive.subarray(0, archive.length / 2));
  const { status, stdout, stderr } = await images(['load', path]);
  assert.is(status, 14, stderr);
  assert.is(stdout, '');
  assert.ok(stderr.trimEnd().split('\n').length <= 3);
  assert.is(await engine.images.inspect(reference), undefined);
});

test('a file that is not there exits 10', async () => {
  const { status } = await images(['load', join(directory, 'nowhere.tar')]);
  assert.is(status, 10);
});

test.run();
