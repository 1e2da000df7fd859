import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeIdentity, generateIdentity } from '../../../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../../../src/repository/open.ts';
import { runCli } from '../../../support/cli.ts';
import { flip } from '../../../support/flip.ts';
import { quietContext, saveDirectories } from '../../../support/save-directory.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const directory = join(root, 'repository');
const source = join(root, 'files');
mkdirSync(source);
writeFileSync(join(source, 'kept'), 'worth keeping');
const repository = await openOrCreateRepository(directory, context);
for (const name of ['more', 'most']) {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, 'file'), `the content of ${name}`);
}
const snapshot = await saveDirectories(repository, { files: source }, context);
await repository.close();

test('backup list shows snapshots, as a table and as JSON', async () => {
  const table = await runCli(['backup', 'list', '--repository', directory]);
  assert.is(table.status, 0, table.stderr);
  assert.match(table.stdout, snapshot.id.slice(7, 19));
  assert.match(table.stdout, 'complete');
  const json = await runCli(['backup', 'list', '-r', directory, '--json']);
  assert.is(JSON.parse(json.stdout)[0].id, snapshot.id);
});

test('backup list of a directory without backups says so', async () => {
  const { status, stderr } = await runCli(['backup', 'list', '-r', join(root, 'nowhere')]);
  assert.is(status, 10);
  assert.match(stderr, 'there is none');
});

test('backup verify ends with 0 when all is whole, and with 14 and the file names when it is not', async () => {
  const whole = await runCli(['backup', 'verify', '--read-data', '-r', directory]);
  assert.is(whole.status, 0, whole.stderr);
  assert.match(whole.stdout, /^whole: 1 snapshot, 5 blobs, [^;]*; content of every pack\n$/);
  assert.not.match((await runCli(['backup', 'verify', '-r', directory])).stdout, 'content');
  const blobs = join(directory, 'blobs', 'sha256');
  const manifests = readdirSync(blobs).map((name) => readFileSync(join(blobs, name), 'latin1'));
  const pack = /pack\.v1\.tar\+zstd","digest":"sha256:(\w+)"/.exec(manifests.join('\n'))?.[1] ?? '';
  flip(join(blobs, pack), 100);
  const damaged = await runCli(['backup', 'verify', '-r', directory]);
  assert.is(damaged.status, 14);
  assert.match(damaged.stdout, 'files:kept');
  assert.match(damaged.stdout, snapshot.id.slice(7, 19));
});

test('backup verify --read-data of a part reads so many of the packs, whichever, and never none', async () => {
  const parts = join(root, 'parts');
  const repository = await openOrCreateRepository(parts, context);
  await saveDirectories(repository, { a: source, b: join(root, 'more'), c: join(root, 'most') }, context);
  await repository.close();
  for (const [part, read] of [
    ['100%', 3],
    ['50%', 2],
    ['1%', 1],
    ['0.5%', 1],
  ] as const) {
    const { status, stdout } = await runCli([
      '--json',
      'backup',
      'verify',
      `--read-data=${part}`,
      '-r',
      parts,
    ]);
    assert.is(status, 0);
    assert.equal(JSON.parse(stdout).packs, { read, all: 3 }, part);
  }
  const { stdout } = await runCli(['backup', 'verify', '--read-data', '10%', '-r', parts]);
  assert.match(stdout, /; content of 1 of 3 packs$/m);
  for (const wrong of ['0%', '101%', '10', 'some', '-1%', '%']) {
    assert.is((await runCli(['backup', 'verify', `--read-data=${wrong}`, '-r', parts])).status, 2, wrong);
  }
});

test('backup verify looks into what is encrypted with a key from a file or from standard input', async () => {
  const key = generateIdentity();
  const sealed = await openOrCreateRepository(join(root, 'sealed'), context);
  await saveDirectories(sealed, { files: source }, context, [key]);
  await sealed.close();
  const verify = (stdin: string, ...args: string[]) =>
    runCli(['backup', 'verify', '-r', join(root, 'sealed'), ...args], { stdin });
  assert.is((await verify('')).status, 0);
  assert.is((await verify('', '--read-data')).status, 12);
  const file = join(root, 'key.txt');
  writeFileSync(file, `# the safe\n${encodeIdentity(key)}\n`);
  assert.is((await verify('', '--read-data', '--identity', file)).status, 0);
  assert.is((await verify(encodeIdentity(key), '--read-data', '-i', '-')).status, 0);
  assert.is((await verify(encodeIdentity(generateIdentity()), '--read-data', '-i', '-')).status, 12);
  const missing = await verify('', '--read-data', '-i', join(root, 'lost.txt'));
  assert.is(missing.status, 12);
  assert.match(missing.stderr, /lost\.txt/);
});

test.run();
