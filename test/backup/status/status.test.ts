import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderMetrics } from '../../../src/backup/status/metrics.ts';
import { recordRun, recordVerification } from '../../../src/backup/status/record-run.ts';
import {
  type BackupStatus,
  backupStatus,
  judgeFreshness,
  type RunRecord,
} from '../../../src/backup/status/status.ts';
import { readStatus, statusFile } from '../../../src/backup/status/status-file.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { silent } from '../../../src/support/progress.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const repository = '/var/backup/shop';
const shop = { deployment: 'shop', repository };

function snapshot(id: string, started: string, complete = true): Snapshot {
  const source = { name: 'a', title: 'A', kind: 'paths' as const, complete, warnings: [], origin: {} };
  const at = { started: new Date(started), ended: new Date(Date.parse(started) + 60_000) };
  return {
    ...at,
    id: `sha256:${id}`,
    host: 'fuel',
    deployment: 'shop',
    release: undefined,
    complete,
    predecessor: undefined,
    sources: [
      { ...source, ...at, files: 3, bytes: 1000, newBytes: 10 },
      { ...source, ...at, name: 'b', files: 4, bytes: 2000, newBytes: 20 },
    ],
    tags: [],
    recipients: [],
    added: { bytes: 500, blobs: 2 },
  };
}

const good = snapshot('good', '2026-03-01T03:00:00Z');
const half = snapshot('half', '2026-03-02T03:00:00Z', false);

function run(outcome: RunRecord['outcome'], problem: string | null = null): RunRecord {
  const times = { started: '2026-03-02T03:00:00.000Z', ended: '2026-03-02T03:01:30.500Z' };
  return { ...times, outcome, snapshot: outcome === 'failed' ? null : 'sha256:half', problem };
}

const verified = { ended: '2026-03-02T04:00:00.000Z', snapshot: 'sha256:good', readData: true };

function statusOf(
  snapshots: Snapshot[],
  lastRun: RunRecord | null,
  lastVerified: BackupStatus['lastVerified'] = null,
) {
  return backupStatus(shop, snapshots, { lastRun, lastVerified });
}

function contextIn(stateDir: string) {
  const warnings: string[] = [];
  const progress = { ...silent, warn: (message: string) => void warnings.push(message) };
  const { signal } = new AbortController();
  return { context: { progress, signal, now: () => new Date(), stateDir }, warnings };
}

const noHooks = { onSuccess: [], onFailure: [] };

test('the status tells the newest complete snapshot, whatever came after it', () => {
  const status = statusOf([snapshot('old', '2026-02-01T03:00:00Z'), good, half], run('incomplete'));
  assert.equal(status.lastComplete, {
    id: 'sha256:good',
    started: '2026-03-01T03:00:00.000Z',
    ended: '2026-03-01T03:01:00.000Z',
    files: 7,
    bytes: 3000,
    addedBytes: 500,
  });
  assert.equal(status.snapshots, { complete: 2, incomplete: 1 });
});

test('a complete snapshot is fresh up to its maximum age, and not a second longer', () => {
  const status = statusOf([good, half], null);
  const at = (time: string) => judgeFreshness(status, 26 * 3600, new Date(time));
  assert.equal(at('2026-03-02T05:00:00Z'), { fresh: true, age: 26 * 3600, problem: null });
  const late = { fresh: false, age: 26 * 3600 + 1, problem: 'the last complete snapshot is too old' };
  assert.equal(at('2026-03-02T05:00:01Z'), late);
});

test('without a complete snapshot, or with one of the future, nothing is fresh', () => {
  const now = new Date('2026-03-02T05:00:00Z');
  assert.is(judgeFreshness(statusOf([half], null), 1e9, now).fresh, false);
  const future = statusOf([snapshot('f', '2026-03-03T05:00:00Z')], null);
  assert.match(judgeFreshness(future, 1e9, now).problem ?? '', /yet to come/);
});

test('metrics carry the promised names, their types and the deployment', () => {
  const text = renderMetrics({
    ...statusOf([good, half], run('incomplete'), verified),
    deployment: 'a"b\\c',
  });
  const label = String.raw`{deployment="a\"b\\c"}`;
  assert.equal(
    text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    [
      `dockerctl_backup_last_run_timestamp_seconds${label} 1772420490.5`,
      `dockerctl_backup_last_run_success${label} 0`,
      `dockerctl_backup_last_run_duration_seconds${label} 90.5`,
      `dockerctl_backup_last_complete_timestamp_seconds${label} 1772334000`,
      `dockerctl_backup_last_complete_files${label} 7`,
      `dockerctl_backup_last_complete_bytes${label} 3000`,
      `dockerctl_backup_last_complete_added_bytes${label} 500`,
      `dockerctl_backup_last_verified_timestamp_seconds${label} 1772424000`,
      `dockerctl_backup_snapshots_complete${label} 1`,
      `dockerctl_backup_snapshots_incomplete${label} 1`,
    ],
  );
  assert.is(text.match(/^# TYPE \S+ gauge$/gm)?.length, 10);
  const promised = readFileSync('docs/monitoring.md', 'utf8');
  for (const [name] of text.matchAll(/^dockerctl_\w+/gm)) assert.ok(promised.includes(`\`${name}\``), name);
});

test('how long a run took is told to the millisecond', () => {
  const [started, ended] = ['2027-03-01T02:30:00.134Z', '2027-03-01T02:30:06.998Z'];
  const text = renderMetrics(statusOf([], { ...run('complete'), started, ended }));
  assert.match(text, /last_run_duration_seconds\S* 6\.864$/m);
});

test('a run leaves its status for us and its metrics for everybody', async () => {
  const stateDir = temporaryDirectory();
  const metrics = join(stateDir, 'shop.prom');
  const { context, warnings } = contextIn(stateDir);
  const settings = { repository, metrics, hooks: noHooks };
  const umask = process.umask(0o077);
  const status = await recordRun('shop', settings, run('complete'), [good], context);
  process.umask(umask);
  assert.equal(await readStatus('shop', repository, stateDir), status);
  assert.is(statSync(statusFile('shop', stateDir)).mode & 0o777, 0o600);
  assert.is(statSync(metrics).mode & 0o777, 0o644);
  assert.is(readFileSync(metrics, 'utf8'), renderMetrics(status));
  assert.equal(warnings, []);
});

test('a run that could not read the repository forgets nothing of what was known', async () => {
  const stateDir = temporaryDirectory();
  const { context } = contextIn(stateDir);
  const settings = { repository, metrics: undefined, hooks: noHooks };
  await recordRun('shop', settings, run('complete'), [good], context);
  const failed = await recordRun('shop', settings, run('failed', 'no space'), undefined, context);
  assert.is(failed.lastComplete?.id, 'sha256:good');
  assert.is(failed.lastRun?.problem, 'no space');
  const elsewhere = { ...settings, repository: '/mnt/other' };
  const other = await recordRun('shop', elsewhere, run('failed'), undefined, context);
  assert.is(other.lastComplete, null);
});

test('a verification whose metrics cannot be written is remembered all the same, with a warning', async () => {
  const stateDir = temporaryDirectory();
  const { context, warnings } = contextIn(stateDir);
  const settings = { repository, metrics: join(stateDir, 'missing', 'shop.prom') };
  await recordVerification('shop', settings, [good], { readData: true, context });
  assert.is((await readStatus('shop', repository, stateDir))?.lastVerified?.snapshot, 'sha256:good');
  assert.equal(warnings, [`writing ${settings.metrics}: its directory is missing`]);
});

test('a verification is remembered by later runs into the same repository', async () => {
  const stateDir = temporaryDirectory();
  const { context } = contextIn(stateDir);
  const settings = { repository, metrics: undefined, hooks: noHooks };
  await recordVerification('shop', settings, [good, half], { readData: true, context });
  const known = await recordRun('shop', settings, run('complete'), [good, half], context);
  assert.is(known.lastVerified?.snapshot, 'sha256:good');
  const failed = await recordRun('shop', settings, run('failed'), undefined, context);
  assert.is(failed.lastVerified?.readData, true);
  await recordVerification('shop', settings, [good, half], { readData: false, context });
  assert.is((await readStatus('shop', repository, stateDir))?.lastRun?.outcome, 'failed');
  const moved = await recordRun(
    'shop',
    { ...settings, repository: '/mnt/b' },
    run('complete'),
    [good],
    context,
  );
  assert.is(moved.lastVerified, null);
});

test('a damaged status file is no obstacle', async () => {
  const stateDir = temporaryDirectory();
  const { context } = contextIn(stateDir);
  const settings = { repository, metrics: undefined, hooks: noHooks };
  await recordRun('shop', settings, run('complete'), [good], context);
  writeFileSync(statusFile('shop', stateDir), '{"deployment":');
  assert.is(await readStatus('shop', repository, stateDir), undefined);
  await recordRun('shop', settings, run('failed'), undefined, context);
  assert.is((await readStatus('shop', repository, stateDir))?.lastRun?.outcome, 'failed');
});

test('the hooks of the outcome are given the status on stdin; one that fails is a warning', async () => {
  const stateDir = temporaryDirectory();
  const told = (name: string): string[] => ['sh', '-c', 'cat > "$0"', join(stateDir, name)];
  const hooks = {
    onSuccess: [told('good')],
    onFailure: [['sh', '-c', 'echo sorry >&2; exit 7'], told('bad')],
  };
  const settings = { repository, metrics: undefined, hooks };
  const { context, warnings } = contextIn(stateDir);
  await recordRun('shop', settings, run('incomplete', 'a: unreadable'), [half], context);
  const summary = JSON.parse(readFileSync(join(stateDir, 'bad'), 'utf8'));
  assert.is(summary.lastRun.problem, 'a: unreadable');
  assert.is(warnings.length, 1);
  assert.match(warnings[0] ?? '', /exit 7: sorry/);
  await recordRun('shop', settings, run('complete'), [good], context);
  assert.is(JSON.parse(readFileSync(join(stateDir, 'good'), 'utf8')).lastRun.outcome, 'complete');
});

test('an interruption ends the hook that runs and keeps the others from running; an interrupted run is told of all the same', async () => {
  const stateDir = temporaryDirectory();
  const told = (name: string): string[] => ['sh', '-c', 'cat > "$0"', join(stateDir, name)];
  const interruption = new AbortController();
  const started = join(stateDir, 'started');
  const hangs = ['sh', '-c', 'echo > "$0"; exec sleep 100', started];
  const hooks = { onSuccess: [hangs, told('later')], onFailure: [told('failed')] };
  const settings = { repository, metrics: undefined, hooks };
  const { context, warnings } = contextIn(stateDir);
  const interrupted = { ...context, signal: interruption.signal };
  const recording = recordRun('shop', settings, run('complete'), [good], interrupted);
  while (!existsSync(started)) await setTimeout(20);
  interruption.abort();
  await recording;
  assert.match(warnings.join(), /^running the hook sh .*: running sh: killed by SIGTERM$/);
  assert.not(existsSync(join(stateDir, 'later')));
  await recordRun('shop', settings, run('failed', 'interrupted'), [good], interrupted);
  assert.ok(existsSync(join(stateDir, 'failed')));
});

test('what cannot be written is a warning, not a failure of the run', async () => {
  const stateDir = temporaryDirectory();
  writeFileSync(join(stateDir, 'backup'), 'in the way');
  const { context, warnings } = contextIn(stateDir);
  const settings = { repository, metrics: '/nowhere/at/all.prom', hooks: noHooks };
  await recordRun('shop', settings, run('complete'), [good], context);
  assert.is(warnings.length, 2);
});

test('what a killed run left beside status and metrics goes when it is old; what is young may be being written', async () => {
  const stateDir = temporaryDirectory();
  const { context } = contextIn(stateDir);
  const metrics = join(stateDir, 'shop.prom');
  const settings = { repository, metrics, hooks: noHooks };
  await recordRun('shop', settings, run('complete'), [good], context);
  const left = [metrics, join(stateDir, 'backup', 'shop', 'status.json')].flatMap((path) =>
    ['0123456789ab', 'ba9876543210'].map((random) => join(dirname(path), `.${basename(path)}.${random}.tmp`)),
  );
  for (const path of left) writeFileSync(path, 'half of it');
  const old = context.now().getTime() / 1000 - 7200;
  for (const path of [left[0]!, left[2]!]) utimesSync(path, old, old);
  for (const path of [left[1]!, left[3]!]) utimesSync(path, old + 7200, old + 7200);
  await recordRun('shop', settings, run('complete'), [good], context);
  assert.equal(
    left.map((path) => existsSync(path)),
    [false, true, false, true],
  );
});

test.run();
