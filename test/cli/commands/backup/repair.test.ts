import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeRecipient, generateIdentity } from '../../../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../../../src/repository/open.ts';
import { shortId } from '../../../../src/repository/snapshot/short-id.ts';
import { runCli } from '../../../support/cli.ts';
import { quietContext, saveDirectories } from '../../../support/save-directory.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
const directory = join(root, 'repository');
const source = join(root, 'files');
mkdirSync(source);
writeFileSync(join(source, 'kept'), 'worth keeping');
const repository = await openOrCreateRepository(directory, quietContext(join(root, 'state')));
const { id } = await saveDirectories(repository, { files: source }, quietContext(join(root, 'state')));
await repository.close();

const run = (...args: string[]) => runCli(['backup', ...args, '-r', directory]);

function lose(digest: string): void {
  rmSync(join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length)));
}

test('backup repair tells a snapshot anew that lost its config, and list says so', async () => {
  lose(id);
  const repaired = await run('repair');
  assert.is(repaired.status, 0, repaired.stderr);
  assert.match(repaired.stderr, new RegExp(`snapshot ${shortId(id)} is \\w+ now`));
  assert.match(repaired.stdout, 'told anew, not signed, not known to be complete');
  const { stdout } = await run('list');
  assert.match(stdout, /\brebuilt\b/);
  assert.is((await run('show', 'latest')).status, 10);
});

test('what nobody can read is given up when that is asked for and confirmed, not before', async () => {
  const { manifests } = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  const shown = JSON.parse((await run('list', '--json')).stdout);
  lose(shown[0].id);
  lose(manifests[0].digest);
  assert.is((await run('repair')).status, 14);
  assert.is((await run('repair', '--give-up')).status, 2, 'without a terminal and --yes');
  assert.is((await run('verify')).status, 14);
  const given = await run('repair', '--give-up', '--yes');
  assert.is(given.status, 0, given.stderr);
  assert.match(given.stdout, 'given up: ');
  assert.is((await run('verify')).status, 0);
});

test('what is encrypted and cannot be mended names the key that is wanted', async () => {
  const sealed = join(root, 'sealed');
  const identity = generateIdentity();
  const context = quietContext(join(root, 'state'));
  const repository = await openOrCreateRepository(sealed, context);
  const snapshot = await saveDirectories(repository, { files: source }, context, [identity]);
  await repository.close();
  const blobs = join(sealed, 'blobs', 'sha256');
  const manifests = readdirSync(blobs).map((name) => readFileSync(join(blobs, name), 'latin1'));
  const pack = /pack\.v1\.tar\+zstd\+age","digest":"sha256:(\w+)"/.exec(manifests.join('\n'))?.[1] ?? '';
  rmSync(join(blobs, pack));
  const { status, stderr } = await runCli(['backup', 'repair', '-r', sealed]);
  assert.is(status, 14);
  const key = `the private key of ${encodeRecipient(identity)}: give it with --identity FILE`;
  assert.match(stderr, `snapshot ${shortId(snapshot.id)} cannot be mended without ${key}`);
});

test.run();
