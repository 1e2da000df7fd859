import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository } from '../../../../src/repository/open.ts';
import { type SigningKey, trySigningKey } from '../../../../src/repository/signed/signing-key.ts';
import { silent } from '../../../../src/support/progress.ts';
import { runCli } from '../../../support/cli.ts';
import { makeSshKey } from '../../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

interface Place {
  file: string;
  repository: string;
  stateDir: string;
}

function newPlace(signingKey = 'none'): Place {
  const directory = temporaryDirectory();
  const [etc, repository, stateDir] = ['etc', 'repository', 'state'].map((name) => join(directory, name));
  mkdirSync(etc ?? '', { mode: 0o700 });
  const file = join(etc ?? '', 'shop.yaml');
  const backup = `backup: {repository: ${repository}, signing-key: ${signingKey}, sources: {config: {paths: [/etc]}}}`;
  writeFileSync(file, `name: shop\nx-dockerctl: {${backup}}\n`);
  return { file, repository: repository ?? '', stateDir: stateDir ?? '' };
}

async function takeSnapshot(
  { repository: directory, stateDir }: Place,
  started: Date,
  { complete = true, host = hostname(), signingKey = undefined as SigningKey | undefined } = {},
): Promise<void> {
  const { signal } = new AbortController();
  const context = { progress: silent, signal, now: () => started, stateDir };
  const repository = await openOrCreateRepository(directory, context);
  const run = await repository.beginRun(
    { host, deployment: 'shop', release: undefined, signingKey },
    context,
  );
  const source = await run.beginSource({ name: 'config', title: 'Config', kind: 'paths', origin: {} });
  if (!complete) source.fail('something is missing');
  await source.end();
  await run.commit();
  await repository.close();
}

function status({ file, stateDir }: Place, ...options: string[]) {
  return runCli(['-f', file, '--state-dir', stateDir, 'backup', 'status', ...options]);
}

const hour = 3_600_000;

test('a young complete snapshot is fine, an old one is not, whatever incomplete one came later', async () => {
  const place = newPlace();
  await takeSnapshot(place, new Date(Date.now() - 25 * hour));
  await takeSnapshot(place, new Date(Date.now() - hour), { complete: false });
  const fine = await status(place, '--max-age', '26h');
  assert.is(fine.status, 0);
  assert.match(fine.stdout, /25 h 0 min ago/);
  assert.match(fine.stdout, /1 complete, 1 incomplete/);
  const old = await status(place, '--max-age', '24h');
  assert.is(old.status, 1);
  assert.match(old.stdout, /problem: +the last complete snapshot is too old$/m);
  assert.is((await status(place)).status, 0);
});

test('--json tells the same to machines', async () => {
  const place = newPlace();
  await takeSnapshot(place, new Date(Date.now() - 2 * hour));
  const { status: exit, stdout } = await status(place, '--max-age', '1h', '--json');
  assert.is(exit, 1);
  const told = JSON.parse(stdout);
  assert.is(told.freshness.fresh, false);
  assert.is(told.snapshots.complete, 1);
  assert.is(told.lastRun, null);
});

test('a snapshot of a day to come is told to be ahead of the clock', async () => {
  const place = newPlace();
  await takeSnapshot(place, new Date(Date.now() + 50.5 * hour));
  const { status: exit, stdout } = await status(place, '--max-age', '1y');
  assert.is(exit, 1);
  assert.match(stdout, /, 50 h \d+ min ahead of the clock \(/);
  assert.match(stdout, /yet to come/);
});

test('without a complete snapshot nothing is fresh', async () => {
  const place = newPlace();
  await takeSnapshot(place, new Date(), { complete: false });
  assert.is((await status(place, '--max-age', '1y')).status, 1);
});

test('what only says that it is of this host makes nothing fresh once this host has signed', async () => {
  const key = makeSshKey(temporaryDirectory(), 'key');
  const signingKey = await trySigningKey(key);
  const place = newPlace(key);
  await takeSnapshot(place, new Date(Date.now() - 30 * hour));
  assert.is((await status(place, '--max-age', '40h')).status, 0, 'of before it signed');
  await takeSnapshot(place, new Date(Date.now() - 28 * hour), { signingKey });
  await takeSnapshot(place, new Date(Date.now() - 3 * hour));
  await takeSnapshot(place, new Date(Date.now() - 2 * hour), { signingKey, complete: false });
  await takeSnapshot(place, new Date(Date.now() - hour));
  const { status: exit, stdout } = await status(place, '--max-age', '26h');
  assert.is(exit, 1, stdout);
  assert.match(stdout, /28 h 0 min ago/);
  await takeSnapshot(place, new Date(), { signingKey });
  assert.is((await status(place, '--max-age', '1h')).status, 0);
});

test('what another host saved into the same repository makes nothing fresh here', async () => {
  const place = newPlace();
  await takeSnapshot(place, new Date(Date.now() - 50 * hour));
  await takeSnapshot(place, new Date(), { host: 'somewhere-else' });
  const { status: exit, stdout } = await status(place, '--max-age', '26h');
  assert.is(exit, 1);
  assert.match(stdout, /1 complete, 0 incomplete/);
});

test('what a failed program said is printed without what a terminal would obey', async () => {
  const place = newPlace();
  await takeSnapshot(place, new Date());
  const lastRun = {
    ...{ started: new Date().toISOString(), ended: new Date().toISOString() },
    ...{ outcome: 'failed', snapshot: null, problem: 'running x: \x1b]0;owned\x07' },
  };
  const told = { deployment: 'shop', repository: place.repository, lastRun, lastVerified: null };
  mkdirSync(join(place.stateDir, 'backup/shop'), { recursive: true });
  writeFileSync(
    join(place.stateDir, 'backup/shop/status.json'),
    JSON.stringify({ ...told, lastComplete: null, snapshots: { complete: 0, incomplete: 0 } }),
  );
  assert.match((await status(place)).stdout, String.raw`running x: \x1b]0;owned\x07`);
});

test('a missing repository, and an age that is none, have exit codes of their own', async () => {
  const place = newPlace();
  assert.is((await status(place, '--max-age', '26h')).status, 10);
  assert.is((await status(place, '--max-age', 'soon')).status, 2);
});

test.run();
