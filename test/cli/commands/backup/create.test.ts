import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatMoment } from '../../../../src/support/quantities.ts';
import { runCli } from '../../../support/cli.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const directory = temporaryDirectory();
let count = 0;

/** A plain host: paths to save, no service, no engine. */
function host(backup = ''): { home: string; run(...argv: string[]): ReturnType<typeof runCli> } {
  const home = join(directory, String(count++));
  mkdirSync(join(home, 'data', 'sub'), { recursive: true, mode: 0o700 });
  writeFileSync(join(home, 'data', 'a'), 'one');
  writeFileSync(join(home, 'data', 'sub', 'b'), 'two');
  writeFileSync(
    join(home, 'dockerctl.yaml'),
    `name: host
x-dockerctl:
  backup:
    repository: ${home}/repository
    signing-key: none
    ${backup}
    sources:
      data: {title: The data, paths: [${home}/data]}
      bulk: {title: The bulk, paths: [${home}/bulk], full: true}
`,
    { mode: 0o600 },
  );
  const environment = {
    DOCKERCTL_FILE: join(home, 'dockerctl.yaml'),
    DOCKERCTL_STATE_DIR: join(home, 'state'),
    DOCKER_HOST: 'unix:///nonexistent/docker.sock',
  };
  return { home, run: (...argv) => runCli(argv, { environment, workingDirectory: home }) };
}

test('where there are services, and nobody waits for it, a backup lets them go first', async () => {
  let given = 0;
  const giveWay = async () => void given++;
  for (const [services, times] of [
    ['{}', 0],
    ['{web: {image: "shop/web:1"}}', 1],
  ] as const) {
    const { home } = host();
    const file = join(home, 'dockerctl.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}services: ${services}\n`);
    given = 0;
    const { status, stderr } = await runCli(['-f', file, '--state-dir', join(home, 'state'), 'backup'], {
      giveWay,
    });
    assert.is(status, 0, stderr);
    assert.is(given, times);
  }
});

test('while a restore has replaced a part of what is here, a backup is made and counts as incomplete', async () => {
  const { home, run } = host();
  mkdirSync(join(home, 'state', 'restores'), { recursive: true });
  const journal = join(home, 'state', 'restores', '0badcafe.json');
  const started = '2026-01-02T03:04:05Z';
  const record = (phase: string, request = {}) =>
    writeFileSync(journal, JSON.stringify({ version: 1, id: '0badcafe', started, phase, request }));
  record('staging');
  assert.is((await run('backup')).status, 0);
  record('swapping');
  const { status, stderr } = await run('backup');
  assert.is(status, 3);
  assert.match(
    stderr,
    `the restore 0badcafe begun ${formatMoment(new Date(started))} has replaced a part of what is here: finish it`,
  );
  for (const harmless of [
    () => record('swapping', { to: '/elsewhere' }),
    () => record('done'),
    () => writeFileSync(journal, '{'),
  ]) {
    harmless();
    assert.is((await run('backup')).status, 0);
  }
});

test('of a source that lost nine of ten files, as when its disk is not mounted, stderr tells once', async () => {
  const { home, run } = host();
  for (let i = 0; i < 20; i++) writeFileSync(join(home, 'data', `file${i}`), 'x');
  assert.is((await run('backup')).stderr, '');
  rmSync(join(home, 'data'), { recursive: true });
  mkdirSync(join(home, 'data'));
  const { status, stderr } = await run('backup');
  assert.is(status, 0);
  assert.is(stderr, `dockerctl: warning: ${home}/data: 0 files, last time 22: is its disk mounted?\n`);
  assert.match((await run('backup', 'show')).stdout, /data: 0 files, last time 22/);
  assert.is((await run('backup')).stderr, '');
});

test('so it is told of one that was not there at all the night before', async () => {
  const { home, run } = host();
  for (let i = 0; i < 20; i++) writeFileSync(join(home, 'data', `file${i}`), 'x');
  assert.is((await run('backup')).stderr, '');
  rmSync(join(home, 'data'), { recursive: true });
  assert.is((await run('backup')).status, 3);
  mkdirSync(join(home, 'data'));
  writeFileSync(join(home, 'data', 'README'), 'mount the disk here');
  const { status, stderr } = await run('backup');
  assert.is(status, 0);
  assert.is(stderr, `dockerctl: warning: ${home}/data: 1 file, last time 22: is its disk mounted?\n`);
});

test('a path that is a link is told of on stderr, where cron mails it', async () => {
  const { home, run } = host();
  symlinkSync(join(home, 'data'), join(home, 'bulk'));
  const { status, stderr } = await run('backup', '--full');
  assert.is(status, 0);
  assert.match(stderr, `dockerctl: warning: ${home}/bulk: is a symbolic link, and only the link is saved`);
});

test('a host without an engine is backed up, and the second time nothing has changed', async () => {
  const { run } = host();
  const first = await run('backup');
  assert.is(first.status, 0, first.stderr);
  assert.is(first.stderr, '');
  assert.match(first.stdout, /^snapshot [0-9a-f]{12}: .* added, in .*; without 1 source that --full adds\n$/);
  const second = await run('--json', 'backup');
  const report = JSON.parse(second.stdout);
  assert.is(report.unchanged, true);
  assert.is(report.snapshot.added.bytes < 4096, true);
  assert.equal(
    report.sources.map(({ name, files, changes }: never) => [name, files, changes]),
    [
      ['deployment', 1, { added: 0, changed: 0, removed: 0 }],
      ['data', 2, { added: 0, changed: 0, removed: 0 }],
    ],
  );
});

test('a change is told of', async () => {
  const { home, run } = host();
  await run('backup');
  writeFileSync(join(home, 'data', 'a'), 'ONE');
  rmSync(join(home, 'data', 'sub', 'b'));
  const report = JSON.parse((await run('--json', 'backup', 'create')).stdout);
  assert.is(report.unchanged, false);
  assert.equal(report.sources[1].changes, { added: 0, changed: 2, removed: 1 });
  assert.is(report.sources[1].newBytes, 3);
});

test('a path that is missing makes the snapshot incomplete: exit 3, named on stderr', async () => {
  const { run } = host();
  const { status, stdout, stderr } = await run('backup', '--full');
  assert.is(status, 3);
  assert.match(stdout, '(incomplete)');
  assert.match(stderr, /The bulk: .*\/bulk: does not exist/);
  const { stdout: text } = await run('--json', 'backup', 'list');
  const [snapshot] = JSON.parse(text);
  assert.is(snapshot.complete, false);
  assert.is(snapshot.sources[1].complete, true);
});

test('backup DIR goes into another repository, and what watches the nightly one does not hear of it', async () => {
  const { home, run } = host();
  const { status } = await run('backup', './elsewhere');
  assert.is(status, 0);
  assert.is((await run('backup', 'list', '--repository', join(home, 'elsewhere'))).status, 0);
  assert.is((await run('backup', 'list')).status, 10);
});

test('the plan as JSON has the keys that the documents name, and another host where there is one', async () => {
  const { run } = host('refuse-while: [{name: busy, run: [uptime], matches: x}]');
  const planned = async (...dest: string[]) =>
    JSON.parse((await run('backup', '--dry-run', '--json', ...dest)).stdout);
  const plan = await planned();
  const keys = ['repository', 'recipients', 'sources', 'leftOut', 'checks', 'minFree', 'needsEngine'];
  assert.equal(Object.keys(plan), keys);
  for (const source of [...plan.sources, ...plan.leftOut])
    assert.equal(Object.keys(source), ['name', 'title', 'kind', 'origin', 'settings']);
  assert.equal(Object.keys(await planned('vault:/srv/shop')), [...keys, 'remote']);
});

test('--tag a,b marks with two words, as with restic: a rule that names one of them keeps the snapshot', async () => {
  const { run } = host();
  assert.is((await run('backup', '--tag', 'nightly, before-upgrade', './tagged')).status, 0);
  const { stdout } = await run('backup', 'list', '-r', './tagged', '--json');
  assert.equal(JSON.parse(stdout)[0].tags, ['nightly', 'before-upgrade']);
  assert.is((await run('backup', '--tag', 'nightly,', './tagged')).status, 2);
});

test('words of --tag do not swallow the place that the backup goes to', async () => {
  const { home, run } = host();
  const { status } = await run('backup', '--tag', 'nightly', '--tag', 'before-upgrade', './elsewhere');
  assert.is(status, 0);
  const { stdout } = await run('--json', 'backup', 'list', '--repository', join(home, 'elsewhere'));
  assert.equal(JSON.parse(stdout)[0].tags, ['nightly', 'before-upgrade']);
  assert.is((await run('backup', 'list')).status, 10);
});

test('--dry-run prints the plan and writes nothing', async () => {
  const { home, run } = host('refuse-while: [{name: it rains, run: [cat, /rain], matches: yes}]');
  const { status, stdout } = await run('backup', '--dry-run');
  assert.is(status, 0);
  assert.is(
    stdout,
    `would back up to ${home}/repository:
  deployment: Deployment file
  data: The data
  not bulk: The bulk (only with --full)
  unless it rains
`,
  );
  assert.is((await run('backup', 'list')).status, 10);
});

test('a busy system and a full disk refuse with their own exit status, and leave no snapshot', async () => {
  const busy = host('refuse-while: [{name: it rains, run: [echo, "raining"], matches: rain}]');
  assert.is((await busy.run('backup')).status, 17);
  const full = host('min-free: 1000TiB');
  const { status, stderr } = await full.run('backup');
  assert.is(status, 13);
  assert.match(stderr, 'free');
  assert.equal(JSON.parse((await full.run('--json', 'backup', 'list')).stdout), []);
});

test('how each run ended is recorded for backup status', async () => {
  const { run } = host();
  await run('backup');
  const { status, stdout } = await run('--json', 'backup', 'status', '--max-age', '1h');
  assert.is(status, 0);
  assert.is(JSON.parse(stdout).lastRun.outcome, 'complete');
});

test('a hook may remove snapshots: the run no longer holds the repository', async () => {
  const { home, run } = host(
    `on-success: [[sh, -c, "exec 9<>repository/readers.lock; flock -n 9 && touch free"]]`,
  );
  const file = join(home, 'dockerctl.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/repository\/readers|free/g, `${home}/$&`));
  const { status, stderr } = await run('backup');
  assert.is(status, 0, stderr);
  assert.is(stderr, '');
  assert.ok(existsSync(join(home, 'free')));
});

test('a repository inside what is saved is not entered', async () => {
  const { home, run } = host();
  assert.is((await run('backup', 'data/inside')).status, 0);
  const { stdout } = await run('--json', 'backup', 'data/inside');
  assert.is(JSON.parse(stdout).sources[1].files, 2, home);
});

test.run();
