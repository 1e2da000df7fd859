import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openOrCreateRepository } from '../../../../src/repository/open.ts';
import { type SigningKey, trySigningKey } from '../../../../src/repository/signed/signing-key.ts';
import { shortId } from '../../../../src/repository/snapshot/short-id.ts';
import { runCli } from '../../../support/cli.ts';
import { deploymentFile } from '../../../support/deployment.ts';
import { quietContext } from '../../../support/save-directory.ts';
import { makeSshKey } from '../../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const root = temporaryDirectory();
const day = 86_400_000;

/** A deployment that backs up `config`, and `mirror` with --full, and what a snapshot of it is made with. */
class Shop {
  readonly home = mkdtempSync(join(root, 'shop-'));
  readonly repository = join(this.home, 'repository');
  readonly status = join(this.home, 'state', 'backup', 'shop', 'status.json');
  readonly metrics = join(this.home, 'shop.prom');
  readonly file: string;

  constructor(keep: string, signingKey = 'none') {
    const sources = 'sources: {config: {paths: [/etc/hostname]}, mirror: {paths: [/srv/none], full: true}}';
    const backup = `{repository: ${this.repository}, metrics: ${this.metrics}, keep: ${keep}, signing-key: ${signingKey}, ${sources}}`;
    this.file = deploymentFile(`name: shop\nx-dockerctl: {backup: ${backup}}\n`);
  }

  async save(
    daysAgo: number,
    {
      complete = true,
      full = false,
      deployment = 'shop',
      tags = [] as string[],
      host = hostname(),
      signingKey = undefined as SigningKey | undefined,
    } = {},
  ) {
    const now = () => new Date(Date.now() - daysAgo * day);
    const context = { ...quietContext(join(this.home, 'state')), now };
    const repository = await openOrCreateRepository(this.repository, context);
    const run = await repository.beginRun(
      { host, deployment, release: undefined, tags, signingKey },
      context,
    );
    for (const name of full ? ['config', 'mirror'] : ['config']) {
      const writer = await run.beginSource({ name, title: name, kind: 'paths', origin: {} });
      if (!complete) writer.fail('something is missing');
      await writer.end();
    }
    const { id } = await run.commit();
    await repository.close();
    return id;
  }

  run(...args: string[]) {
    return runCli(['-f', this.file, '--state-dir', join(this.home, 'state'), 'backup', ...args]);
  }

  async list(): Promise<string[]> {
    const { stdout } = await this.run('list', '--json');
    return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
  }
}

test('prune keeps what the rules say, and shows it before with --dry-run', async () => {
  const shop = new Shop('{last: 2}');
  const [old, middle, young] = [await shop.save(3), await shop.save(2), await shop.save(1)];
  const dry = await shop.run('prune', '--dry-run');
  assert.is(dry.status, 0, dry.stderr);
  const lines = dry.stdout.split('\n');
  assert.match(lines[1] ?? '', new RegExp(`^${young.slice(7, 19)} .*keep +last, newest$`));
  assert.match(lines[3] ?? '', new RegExp(`^${old.slice(7, 19)} .*remove +no rule keeps it$`));
  assert.is((await shop.list()).length, 3);
  const done = await shop.run('prune');
  assert.is(done.status, 0, done.stderr);
  assert.match(done.stdout, /^removed 1 snapshot: /);
  assert.equal(await shop.list(), [middle, young]);
  assert.is((await shop.run('verify', '--read-data')).status, 0);
  assert.match((await shop.run('prune')).stdout, /^removed 0 snapshots/);
});

test('where TZ is empty or names no zone, days are those of the clock that everything else goes by', async () => {
  const shop = new Shop('{daily: 2, within: 1y}');
  await shop.save(1);
  const { TZ } = process.env;
  try {
    for (const zone of ['', 'Nonsense/Zone', ':/etc/localtime', 'CET-1CEST,M3.5.0,M10.5.0/3']) {
      process.env.TZ = zone;
      const { status, stderr } = await shop.run('prune');
      assert.equal([status, stderr], [0, ''], zone);
    }
  } finally {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  }
});

test('the only full snapshot is not pushed out by light ones, nor those of another deployment', async () => {
  const shop = new Shop('{last: 1}');
  const full = await shop.save(5, { full: true });
  const other = await shop.save(4, { deployment: 'wiki' });
  await shop.save(3);
  const last = await shop.save(2);
  await shop.run('prune');
  assert.equal(await shop.list(), [full, other, last]);
});

test('the snapshot that was made last stays, although an older one has a later date', async () => {
  const shop = new Shop('{last: 1}');
  const ahead = await shop.save(-0.9);
  const [between, last] = [await shop.save(0.1), await shop.save(0)];
  assert.is((await shop.run('prune')).status, 0);
  assert.equal(await shop.list(), [ahead, between, last]);
  const { lastComplete } = JSON.parse((await shop.run('status', '--json')).stdout);
  assert.is(lastComplete.id, last);
  const later = await shop.save(-0.95);
  assert.is((await shop.run('prune')).status, 0);
  assert.equal(await shop.list(), [later]);
});

test('the snapshot that was verified last stays, and so does one whose tag a rule names', async () => {
  const shop = new Shop('{last: 1, tags: [gold]}');
  const gold = await shop.save(9, { tags: ['gold', 'first'] });
  const verified = await shop.save(5);
  assert.is((await shop.run('verify')).status, 0);
  await shop.save(4);
  const last = await shop.save(3);
  const plan = JSON.parse((await shop.run('prune', '--dry-run', '--json')).stdout);
  const known = plan.decisions.find(({ id }: { id: string }) => id === verified);
  assert.equal(known.reasons, ['last verified']);
  await shop.run('prune');
  assert.equal(await shop.list(), [gold, verified, last]);
});

test('so does the one of another host, and of those with everything, however the repository was named', async () => {
  const shop = new Shop('{last: 1}');
  const verified = [await shop.save(9, { host: 'elsewhere' }), await shop.save(8, { full: true })];
  assert.is((await shop.run('verify', '-r', shop.repository)).status, 0);
  await shop.save(7, { host: 'elsewhere' });
  const last = [await shop.save(6, { host: 'elsewhere' }), await shop.save(5, { full: true })];
  assert.is((await shop.run('prune')).status, 0);
  assert.equal(await shop.list(), [...verified, ...last]);
});

test('with a wrong clock nothing goes, and the exit status says that something is wrong', async () => {
  const shop = new Shop('{last: 1}');
  for (const daysAgo of [3, 2]) await shop.save(daysAgo);
  const ahead = await shop.save(-30);
  const { status, stderr } = await shop.run('prune');
  assert.is(status, 1);
  assert.match(stderr, /nothing is removed, for the clock says/);
  assert.match(stderr, `dockerctl backup remove ${shortId(ahead)}\n`);
  assert.is((await shop.list()).length, 3);
  const { stdout } = await shop.run('prune', '--dry-run');
  assert.match(
    stdout,
    /nothing is removed: the clock says .*\n {2}Set the clock right; if it is right, remove/,
  );
});

test('nobody is told to remove what is ahead of the clock by less than stops it', async () => {
  const shop = new Shop('{last: 1}');
  for (const daysAgo of [3, -0.1]) await shop.save(daysAgo);
  const ahead = await shop.save(-30);
  assert.match((await shop.run('prune')).stderr, `dockerctl backup remove ${shortId(ahead)}\n`);
});

test('when every snapshot is ahead of the clock nobody is told to remove them', async () => {
  const shop = new Shop('{last: 1}');
  for (const daysAgo of [-3, -2]) await shop.save(daysAgo);
  const { status, stderr } = await shop.run('prune');
  assert.is(status, 1);
  assert.match(stderr, /\n {2}Set the clock right: every snapshot is of days to come\n$/);
});

test('after a leap ahead prune tells when it removes again, if the clock is right', async () => {
  const shop = new Shop('{last: 1}');
  for (const daysAgo of [400, 1, 0]) await shop.save(daysAgo);
  const { status, stderr } = await shop.run('prune');
  assert.is(status, 1);
  assert.match(
    stderr,
    /the clock leapt from .*\n {2}Set the clock right; if it is right, prune removes again a week/,
  );
  assert.not.match(stderr, 'backup remove');
});

test('what monitoring reads tells of what is left as soon as prune or remove ends', async () => {
  const shop = new Shop('{last: 1}');
  await shop.save(3, { complete: false });
  const [middle, young] = [await shop.save(2), await shop.save(1)];
  await shop.save(1, { deployment: 'other' });
  assert.is((await shop.run('verify')).status, 0);
  const told = () => {
    const { snapshots, lastComplete } = JSON.parse(readFileSync(shop.status, 'utf8'));
    return {
      ...snapshots,
      last: lastComplete?.id,
      metrics: readFileSync(shop.metrics, 'utf8').match(/_complete\{.*/g),
    };
  };
  const gauge = (count: number) => [`_complete{deployment="shop"} ${count}`];
  assert.equal(told(), { complete: 2, incomplete: 1, last: young, metrics: gauge(2) });
  assert.is((await shop.run('remove', middle, '--yes')).status, 0);
  assert.equal(told(), { complete: 1, incomplete: 1, last: young, metrics: gauge(1) });
  const pruned = await shop.run('prune');
  assert.is(pruned.status, 0, pruned.stderr);
  assert.equal(told(), { complete: 1, incomplete: 0, last: young, metrics: gauge(1) });
  assert.is(JSON.parse(readFileSync(shop.status, 'utf8')).lastVerified.snapshot, young);
});

test('monitoring is told what is left though not all of what nobody needs could be deleted', async () => {
  const shop = new Shop('{last: 1}');
  const [old, young] = [await shop.save(3), await shop.save(2)];
  assert.is((await shop.run('verify')).status, 0);
  const stuck = join(shop.repository, 'blobs', 'sha256', 'f'.repeat(64));
  writeFileSync(stuck, 'a mount point cannot be deleted');
  execFileSync('mount', ['--bind', stuck, stuck]);
  const counts = () => JSON.parse(readFileSync(shop.status, 'utf8')).snapshots;
  assert.equal(counts(), { complete: 2, incomplete: 0 });
  const pruned = await shop.run('prune');
  execFileSync('umount', [stuck]);
  assert.is(pruned.status, 1, pruned.stderr);
  assert.match(pruned.stderr, 'deleting what no snapshot needs');
  assert.equal(counts(), { complete: 1, incomplete: 0 });
  assert.match(readFileSync(shop.metrics, 'utf8'), '_snapshots_complete{deployment="shop"} 1');
  assert.equal(await shop.list(), [young], `${old} is gone`);
});

test('remove asks, takes ids by their beginning, and removes those alone', async () => {
  const shop = new Shop('{last: 9}');
  const [first, second] = [await shop.save(2), await shop.save(1)];
  const name = first.slice(7, 17);
  assert.is((await shop.run('remove', name)).status, 2);
  assert.match((await shop.run('remove', name, '--dry-run')).stdout, new RegExp(`would remove ${name}`));
  assert.is((await shop.list()).length, 2);
  assert.is((await shop.run('remove', name, '--yes')).status, 0);
  assert.equal(await shop.list(), [second]);
  assert.is((await shop.run('remove', name, '--yes')).status, 10);
});

test('prune waits for who is in the repository, and names him', async () => {
  const shop = new Shop('{last: 1}');
  for (const daysAgo of [2, 1]) await shop.save(daysAgo);
  const reader = await openOrCreateRepository(shop.repository, quietContext(join(shop.home, 'state')));
  await reader.snapshots();
  const pruning = shop.run('prune', '--json');
  await setTimeout(1500);
  await reader.close();
  const { status, stdout, stderr } = await pruning;
  assert.is(status, 0);
  assert.is(JSON.parse(stdout).snapshots.length, 1);
  assert.match(stderr, /"waiting 10 s at most: .* held by reading \(pid \d+\)/);
});

test('snapshots that only say that they are of this host push out none that it signed', async () => {
  const key = makeSshKey(root, 'key');
  const [signingKey, another] = [await trySigningKey(key), await trySigningKey(makeSshKey(root, 'another'))];
  const shop = new Shop('{last: 2}', key);
  await shop.save(9, { signingKey: another });
  await shop.save(8, { signingKey });
  const [second, third] = [await shop.save(7, { signingKey }), await shop.save(6, { signingKey })];
  const claims = [await shop.save(3), await shop.save(2, { signingKey: another }), await shop.save(1)];
  assert.is((await shop.run('prune')).status, 0);
  assert.equal(await shop.list(), [second, third, ...claims.slice(1)]);
  const { lastComplete } = JSON.parse(readFileSync(shop.status, 'utf8'));
  assert.is(lastComplete.id, third);
  const next = await shop.save(0.5, { signingKey });
  const last = await shop.save(0, { signingKey });
  assert.is((await shop.run('prune')).status, 0);
  assert.equal(await shop.list(), [next, last], 'a key of before and strangers go by the same rules');
});

test.run();
