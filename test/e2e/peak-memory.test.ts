import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { docker25 } from '../archive/fixtures/eras.ts';
import { fixtureImage } from '../archive/fixtures/images.ts';
import { tarOf } from '../archive/fixtures/tar.ts';
import { testEngine } from '../support/engine.ts';
import { uniqueReference } from '../support/images.ts';
import { peakOf } from '../support/peak-memory.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const directory = temporaryDirectory();
const { engine, socket } = await testEngine();
const environment = { DOCKER_HOST: `unix://${socket}`, DOCKERCTL_STATE_DIR: join(directory, 'state') };
const reference = uniqueReference();
test.after(() => engine.images.remove(reference).catch(() => {}));

/** An archive of about so many MiB, some of which repeats itself, as programs do. */
async function archiveOf(mebibytes: number): Promise<string> {
  const text = randomBytes(15 << 16).toString('latin1');
  const parts = Array.from({ length: mebibytes }, () => randomBytes(1 << 15).toString('hex') + text);
  const image = await fixtureImage({ references: [reference], contents: [parts.join('')] });
  const path = join(directory, `${mebibytes}.tar`);
  writeFileSync(path, await tarOf(docker25([image])));
  return path;
}

/** With the blocks and dictionaries that `xz -T` has at a level, but not its diligence. */
function compressed(path: string, { block, dictionary }: Record<'block' | 'dictionary', string>): string {
  const options = `-T2 --block-size=${block} --lzma2=preset=0,dict=${dictionary}`;
  execFileSync('sh', ['-c', `xz -k ${options} ${path}`]);
  return `${path}.xz`;
}

async function mustStayBelow(mebibytes: number, ...args: string[]): Promise<void> {
  const { status, stderr, peak } = await peakOf(args, environment);
  assert.is(status, 0, stderr);
  assert.ok(peak < mebibytes, `${args.join(' ')}: ${Math.round(peak)} MiB`);
}

test('loading blocks as `xz -6 -T0` makes them, and saving such blocks, keeps few of them in memory', async () => {
  const path = compressed(await archiveOf(64), { block: '24MiB', dictionary: '8MiB' });
  await mustStayBelow(240, 'images', 'load', path);
  await mustStayBelow(300, 'images', 'save', reference, '-o', join(directory, 'saved.tar.xz'));
});

test('verifying blocks with the dictionaries of `xz -9` keeps two of them in memory', async () => {
  // Its blocks are three times as large, which takes time and no more memory.
  const path = compressed(await archiveOf(260), { block: '64MiB', dictionary: '64MiB' });
  await mustStayBelow(300, 'images', 'verify', path);
});

test('verifying long runs of zeros among what does not compress keeps little of them in memory', async () => {
  const zeros = '\0'.repeat(98 << 20);
  const contents = [1, 2, 3].map(() => randomBytes(2 << 20).toString('latin1') + zeros);
  const image = await fixtureImage({ references: [reference], contents: [contents.join('')] });
  const path = join(directory, 'zeros.tar');
  writeFileSync(path, await tarOf(docker25([image])));
  const zipped = compressed(path, { block: '100MiB', dictionary: '64MiB' });
  await mustStayBelow(300, 'images', 'verify', zipped);
});

test('a backup takes little memory', async () => {
  const tree = join(directory, 'tree');
  mkdirSync(tree);
  for (let i = 0; i < 200; i++) writeFileSync(join(tree, String(i)), randomBytes(200_000));
  const file = join(directory, 'deployment.yaml');
  const backup = { repository: join(directory, 'repository'), sources: { tree: { paths: [tree] } } };
  const deployment = { name: 'memory', services: {}, 'x-dockerctl': { release: '1', backup } };
  writeFileSync(file, JSON.stringify(deployment), { mode: 0o600 });
  await mustStayBelow(200, '--file', file, 'backup');
});

test.run();
