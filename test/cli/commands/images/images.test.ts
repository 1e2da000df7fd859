import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { writeVolumes } from '../../../../src/archive/volumes/writer.ts';
import { connectEngine } from '../../../../src/engine/connect.ts';
import { docker25, docker113, legacy } from '../../../archive/fixtures/eras.ts';
import { fixtureImage } from '../../../archive/fixtures/images.ts';
import { tarOf } from '../../../archive/fixtures/tar.ts';
import { runCli } from '../../../support/cli.ts';
import { testEngine } from '../../../support/engine.ts';
import { uniqueName } from '../../../support/images.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const directory = temporaryDirectory();
const { socket } = await testEngine();
const engine = connectEngine({ host: `unix://${socket}` });
mkdirSync(join(directory, 'state'));
const environment = { DOCKER_HOST: `unix://${socket}`, DOCKERCTL_STATE_DIR: join(directory, 'state') };
const images = (args: string[], stdin?: Uint8Array) =>
  runCli(['images', ...args], { environment, workingDirectory: directory, ...(stdin && { stdin }) });

const unique = uniqueName('images');
const name = `dockerctl-cli-test/${unique}`;
const fixture = (tag: string, contents: string[]) =>
  fixtureImage({ references: [`${name}:${tag}`], contents: contents.map((text) => `${name} ${text}`) });
const old = await fixture('7.2', ['base', 'old']);
const upgraded = await fixture('7.10', ['base', 'new']);
const archive = await tarOf(docker113([old]));
writeFileSync(join(directory, 'old.tar'), archive);
writeFileSync(join(directory, 'new.tar.gz'), gzipSync(await tarOf(docker25([upgraded]))));

async function removeAll(): Promise<void> {
  for (const tag of ['7.2', '7.10']) await engine.images.remove(`${name}:${tag}`).catch(() => {});
}
test.after(removeAll);

test('a truncated archive exits 14 in at most three lines, and the engine holds nothing of it', async () => {
  writeFileSync(join(directory, 'cut.tar'), archive.subarray(0, archive.length / 2));
  const { status, stdout, stderr } = await images(['load', 'cut.tar']);
  assert.is(status, 14, stderr);
  assert.is(stdout, '');
  assert.ok(stderr.trimEnd().split('\n').length <= 3);
  assert.is(await engine.images.inspect(`${name}:7.2`), undefined);
});

test('an lrz file, whatever its name, exits 2 with the command that converts it', async () => {
  const path = join(directory, 'upgrade.tar.xz');
  writeFileSync(path, Buffer.concat([Buffer.from('LRZI'), Buffer.alloc(1000)]));
  const { status, stderr } = await images(['load', path]);
  assert.is(status, 2);
  assert.match(stderr, `lrzip -d ${path}`);
});

test('a file that is not there exits 10', async () => {
  const { status } = await images(['load', 'nowhere.tar']);
  assert.is(status, 10);
});

test('of several files none is loaded when one is not there', async () => {
  const { status, stderr } = await images(['load', 'old.tar', 'nowhere.tar']);
  assert.is(status, 10);
  assert.match(stderr, 'nowhere.tar: there is no such file');
  assert.is(await engine.images.inspect(`${name}:7.2`), undefined);
});

test('--select stands before a file as well as behind it', async () => {
  for (const args of [
    ['--select', '*:7.2', 'old.tar'],
    ['old.tar', '--select', '*:7.2', '--select', 'x'],
  ]) {
    const { status, stderr } = await images(['load', '--dry-run', ...args]);
    assert.is(status, args.length === 3 ? 0 : 10, stderr);
  }
});

test('what standard input brings is called that', async () => {
  const { status, stderr } = await images(['load', '-'], new Uint8Array(0));
  assert.is(status, 14);
  assert.match(stderr, /^dockerctl: standard input: /);
});

test('saving a release that nobody knows names those there are', async () => {
  await images(['load', 'old.tar']);
  const { status, stderr } = await images(['save', '--release', '99', '-o', 'x.tar']);
  assert.is(status, 10);
  assert.match(stderr, /no release 99\n.*7\.2/);
  await removeAll();
});

test('inspect tells what an archive holds and what of it is here, from a file and a pipe', async () => {
  const { status, stdout } = await images(['inspect', 'old.tar']);
  assert.is(status, 0);
  assert.match(stdout, /IMAGE +PLATFORM +LAYERS +SIZE +HERE/);
  assert.match(stdout, new RegExp(`${name}:7.2 +linux/amd64 +2 layers +\\S+ KiB +no`));
  const { stdout: json } = await images(['inspect', '-', '--json'], gzipSync(archive));
  const [inspected] = JSON.parse(json);
  assert.equal(
    inspected.images[0].layers.map(({ diffId }: { diffId: string }) => diffId),
    old.layers.map(({ diffId }) => diffId),
  );
});

test('verify reads all of an archive, and names the first damaged entry', async () => {
  assert.is((await images(['verify', 'old.tar', 'new.tar.gz'])).status, 0);
  const damaged = Buffer.from(archive);
  damaged[archive.indexOf(`${name} old`)]! ^= 1;
  writeFileSync(join(directory, 'damaged.tar'), damaged);
  const { status, stderr } = await images(['verify', 'damaged.tar']);
  assert.is(status, 14);
  assert.match(stderr, /layer\.tar \(at byte \d+\)/);
});

test('verify goes on behind a damaged archive, and tells of every one', async () => {
  writeFileSync(join(directory, 'cut.tar'), archive.subarray(0, archive.length / 2));
  writeFileSync(join(directory, 'empty.tar'), '');
  const files = ['cut.tar', 'old.tar', 'empty.tar', 'new.tar.gz'];
  const { status, stdout, stderr } = await images(['verify', ...files]);
  assert.is(status, 14);
  for (const whole of ['old.tar: whole', 'new.tar.gz: whole']) assert.match(stdout, whole);
  for (const damaged of ['cut.tar: ends at byte', 'empty.tar: the file is empty'])
    assert.match(stderr, damaged);
});

test('an empty file is told with what to do about it, as a cut one is', async () => {
  writeFileSync(join(directory, 'empty.tar'), '');
  const { stderr } = await images(['load', 'empty.tar']);
  assert.match(stderr, 'empty.tar: the file is empty\n  Copy the file again from where it came from');
});

test('verify finds a flipped byte in a volume where no digest of the archive reaches', async () => {
  for (const name of ['split.tar', 'split.tar.xz']) {
    const isPlain = name === 'split.tar';
    const xz = () => execFileSync('xz', ['-c', '--block-size=2048'], { input: archive });
    const [first] = await writeVolumes(join(directory, name), 16 << 10, inOnePiece(isPlain ? archive : xz()));
    assert.is((await images(['verify', name])).status, 0);
    const volume = readFileSync(first!);
    const header = volume.subarray(4096, 4096 + 512);
    // A field of the tar's first header that nobody reads, its checksum made right again; in xz, anywhere.
    header[400]! ^= 1;
    if (isPlain) {
      header.write(' '.repeat(8), 148);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    }
    writeFileSync(first!, volume);
    const { status, stderr } = await images(['verify', name]);
    assert.is(status, 14, stderr);
  }
});

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test('of an archive without digests nothing is called whole that could not be verified', async () => {
  const ancient = await tarOf(legacy([old]));
  writeFileSync(join(directory, 'ancient.tar'), ancient);
  const verified = await images(['verify', 'ancient.tar']);
  assert.is(verified.status, 0);
  assert.not.match(verified.stdout, 'whole');
  assert.match(verified.stdout, '2 layers could not be verified');
  const { stderr } = await images(['load', 'ancient.tar', '--dry-run']);
  assert.match(stderr, 'its 2 layers cannot be verified');
  // What a tar tells of itself is checked: the header of the file in the layer.
  const damaged = Buffer.from(ancient);
  damaged[ancient.indexOf('layer-1')]! ^= 1;
  writeFileSync(join(directory, 'ancient.tar'), damaged);
  for (const command of ['verify', 'load']) {
    const { status, stderr } = await images([command, 'ancient.tar']);
    assert.is(status, 14, stderr);
    assert.match(stderr, /layer\.tar \(at byte \d+\)/);
  }
  const piped = await images(['load', '-'], damaged);
  assert.is(piped.status, 14, piped.stderr);
});

test('load --dry-run tells what would be loaded and loads nothing', async () => {
  const { status, stdout } = await images(['load', 'old.tar', '--dry-run']);
  assert.is(status, 0);
  assert.match(stdout, 'would be loaded');
  assert.is(await engine.images.inspect(`${name}:7.2`), undefined);
});

test('load reads standard input and files, and list knows the releases afterwards', async () => {
  const first = await images(['load', '-'], gzipSync(archive));
  assert.is(first.status, 0, first.stderr);
  assert.match(first.stdout, /7\.2 +\S+ +loaded/);
  assert.is((await images(['load', 'new.tar.gz'])).status, 0);
  const { stdout } = await images(['list', '--release', '7.10', '--json']);
  assert.equal(JSON.parse(stdout)[0].images[0].references, [`${name}:7.10`]);
});

test('an older release than the current one asks, and without a terminal needs --yes', async () => {
  assert.is((await images(['load', 'old.tar'])).status, 2);
  assert.is((await images(['load', 'old.tar', '--yes'])).status, 0);
});

test('diff tells what lies between two releases', async () => {
  const { stdout } = await images(['diff', '7.2', '7.10', '--json']);
  const { images: changes, layers } = JSON.parse(stdout);
  assert.equal(changes, { added: [], removed: [], changed: [name], unchanged: [] });
  assert.is(layers.shared.count, 1);
  assert.is(layers.added.count, 1);
});

test('verify --release tells whether the engine still holds exactly these images', async () => {
  assert.is((await images(['verify', '--release', '7.2'])).status, 0);
  await engine.images.tag(`${name}:7.10`, `${name}:7.2`);
  const { status, stdout } = await images(['verify', '--release', '7.2']);
  assert.is(status, 14);
  assert.match(stdout, 'is another image');
  assert.match(stdout, /\nLoad the archive of release 7\.2 again: dockerctl images load FILE\n$/);
  assert.is((await images(['load', 'old.tar', '--yes'])).status, 0);
});

test('remove refuses while a container uses a release, and leaves what others share', async () => {
  const container = await engine.containers.create({
    name: `remove-test-${unique}`,
    image: `${name}:7.2`,
  });
  try {
    const { status, stderr } = await images(['remove', '7.2', '--yes']);
    assert.is(status, 1);
    assert.match(stderr, `remove-test-${unique}`);
  } finally {
    await engine.containers.remove(container);
  }
  assert.is((await images(['remove', '7.2', '--yes'])).status, 0);
  assert.is(await engine.images.inspect(`${name}:7.2`), undefined);
  assert.is((await images(['verify', '--release', '7.10'])).status, 0);
});

test('an image that lost its name to a later release goes with its own', async () => {
  const images = (args: string[]) =>
    runCli(['images', ...args, '--yes'], {
      environment: { ...environment, DOCKERCTL_STATE_DIR: join(directory, 'state-same-name') },
      workingDirectory: directory,
    });
  const [first, second] = await Promise.all(['first', 'second'].map((text) => fixture('latest', [text])));
  for (const [i, image] of [first!, second!].entries()) {
    writeFileSync(join(directory, 'same-name.tar'), await tarOf(docker113([image])));
    assert.is((await images(['load', 'same-name.tar', '--release', `8.${i}`])).status, 0);
  }
  assert.ok(await engine.images.inspect(first!.config.digest));
  const container = await engine.containers.create({
    name: `nameless-test-${unique}`,
    image: first!.config.digest,
  });
  assert.is((await images(['remove', '8.0'])).status, 1);
  await engine.containers.remove(container);
  assert.is((await images(['remove', '8.0'])).status, 0);
  assert.is(await engine.images.inspect(first!.config.digest), undefined);
  assert.is((await images(['verify', '--release', '8.1'])).status, 0);
  await images(['remove', '8.1']);
});

test('prune keeps the newest releases, and those that containers use', async () => {
  await images(['load', 'old.tar', '--yes']);
  await images(['load', 'new.tar.gz']);
  const container = await engine.containers.create({
    name: `prune-test-${unique}`,
    image: `${name}:7.2`,
  });
  const { status, stderr } = await images(['prune', '--keep', '1', '--yes']);
  assert.is(status, 0, stderr);
  assert.match(stderr, new RegExp(`7\\.2 stays: .*prune-test-${unique}`));
  assert.equal(await knownReleases(), ['7.2', '7.10']);
  await engine.containers.remove(container);
  assert.is((await images(['prune', '--keep', '1', '--yes'])).status, 0);
  assert.equal(await knownReleases(), ['7.10']);
});

async function knownReleases(): Promise<string[]> {
  const { stdout } = await images(['list', '--json']);
  return JSON.parse(stdout).map(({ release }: { release: string }) => release);
}

test.run();
