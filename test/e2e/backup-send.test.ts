import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wholeSnapshots } from '../repository/carry/exported.ts';
import { runCli } from '../support/cli.ts';
import { startCli } from '../support/cli-process.ts';
import { needProgram } from '../support/debian-program.ts';
import { quietContext } from '../support/save-directory.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { standInForSsh } from '../support/ssh-stand-in.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

needProgram('rsync');
const root = temporaryDirectory();
const data = join(root, 'data');
const here = join(root, 'here');
const state = join(root, 'state');
const context = quietContext(state);
const { log } = standInForSsh(root);
const random = seededRandom(20261122);
const environment = { DOCKERCTL_FILE: join(root, 'dockerctl.yaml'), DOCKERCTL_STATE_DIR: state };

mkdirSync(data);
writeFileSync(
  environment.DOCKERCTL_FILE,
  `name: sent
x-dockerctl:
  backup:
    repository: ${here}
    signing-key: none
    sources: {data: {paths: [${data}]}}
    metrics: ${root}/metrics.prom
    on-success: [[tee, ${root}/succeeded]]
    on-failure: [[tee, ${root}/failed]]
`,
  { mode: 0o600 },
);
writeFileSync(join(data, 'stays'), randomBytes(3_000_000));

const dockerctl = (...argv: string[]) => runCli(argv, { environment });

async function backup(): Promise<string> {
  writeFileSync(join(data, 'changes'), randomBytes(3_000_000));
  const { stdout } = await dockerctl('backup', '--json');
  return JSON.parse(stdout).snapshot.id;
}

async function withEnvironment<T>(set: Record<string, string>, act: () => Promise<T>): Promise<T> {
  Object.assign(process.env, set);
  try {
    return await act();
  } finally {
    for (const name of Object.keys(set)) delete process.env[name];
  }
}

test('backup user@host:/path makes a snapshot here and sends what is missing there', async () => {
  const there = join(root, "the other host's");
  const first = await dockerctl('backup', `me@vault:${there}`);
  assert.is(first.status, 0, first.stderr);
  assert.is(first.stderr, '');
  assert.match(first.stdout, /snapshot (\w{12}) sent to me@vault:.*: \d+ files, [23]\.\d MiB\n$/);
  writeFileSync(join(data, 'small'), 'a little more');
  const second = JSON.parse((await dockerctl('backup', `me@vault:${there}`, '--json')).stdout);
  assert.is(second.sent.snapshot, second.snapshot.id);
  assert.ok(second.sent.sent.bytes < 50_000, JSON.stringify(second.sent));
  assert.is((await wholeSnapshots(there, context)).length, 2);
  assert.equal(await wholeSnapshots(there, context), await wholeSnapshots(here, context));
  const again = await dockerctl('backup', 'send', 'latest', `me@vault:${there}`);
  assert.match(again.stdout, 'was already at me@vault:');
  const words = readFileSync(log, 'utf8').split('\n');
  assert.ok(words.includes('BatchMode=yes') && words.includes('StrictHostKeyChecking=yes'));
});

test('a forced command decides where snapshots go, and append-only is safe from who sends', async () => {
  const vault = join(root, 'forced');
  const SSH_FORCED = `dockerctl backup receive --append-only ${vault}`;
  await withEnvironment({ SSH_FORCED }, async () => {
    const sent = await dockerctl('backup', 'vault:/somewhere/else');
    assert.is(sent.status, 0, sent.stderr);
  });
  const [id = ''] = await wholeSnapshots(vault, context);
  const remove = () => dockerctl('backup', 'remove', id, '-r', `vault:${vault}`, '--yes');
  const refused = await withEnvironment({ SSH_FORCED }, remove);
  assert.is(refused.status, 1);
  assert.match(refused.stderr, /^dockerctl: removing snapshots from vault:.* lets itself be added to only/);
  assert.equal(await wholeSnapshots(vault, context), [id]);
  const removed = await remove();
  assert.match(removed.stdout, /^removed 1 snapshot: /, removed.stderr);
});

test('wherever the line is cut the other repository is whole, and the next try sends only the rest', async () => {
  const there = join(root, 'cut');
  const id = await backup();
  for (const SSH_CUT of ['3', '500', '20000', '3200000']) {
    const { status, stderr } = await withEnvironment({ SSH_CUT }, () =>
      dockerctl('backup', 'send', id, `vault:${there}`),
    );
    assert.is(status, 1, `${SSH_CUT}: ${stderr}`);
    assert.ok(stderr.split('\n').length <= 3, stderr);
    assert.equal(await wholeSnapshots(there, context), [], SSH_CUT);
  }
  const done = await dockerctl('backup', 'send', id, `vault:${there}`, '--json');
  const left = JSON.parse(done.stdout).sent.bytes;
  assert.ok(left < 4_000_000, `${left} bytes were left to send`);
  assert.equal(await wholeSnapshots(there, context), [id]);
});

test('that the receiver was killed, or the line was lost, is told as that, with what to do next', async () => {
  const id = await backup();
  const ends: [ssh: string, says: RegExp][] = [
    ['kill -9 $$', /to vault:\S+: the receiver there was killed \(SIGKILL\)\n/],
    ['exit 255', /: the connection was lost, or the receiver there was killed\n/],
    ['echo "client_loop: send disconnect: Broken pipe" >&2; exit 255', /: client_loop: send disconnect/],
  ];
  for (const [SSH_FORCED, says] of ends) {
    const { status, stderr } = await withEnvironment({ SSH_FORCED: `sh -c '${SSH_FORCED}'; exit $?` }, () =>
      dockerctl('backup', 'send', id, 'vault:/srv/backups'),
    );
    assert.is(status, 1);
    assert.match(stderr, says);
    assert.match(
      stderr,
      /\n {2}Nothing is lost, and what has arrived is not sent again: run it once more for the rest\n$/,
    );
    assert.not.match(stderr, 'exit');
  }
  const down = await dockerctl('backup', 'send', id, 'down:/srv/backups');
  assert.match(down.stderr, /Connection refused\n {2}Try: ssh down dockerctl --version/);
});

test('a receiver killed at any moment keeps whole snapshots only, and the next try completes', async () => {
  const there = join(root, 'killed');
  let known: string[] = [];
  for (let round = 0; round < 4; round++) {
    const id = await backup();
    await withEnvironment({ SSH_KILL_AFTER: (0.25 + 0.75 * random()).toFixed(2) }, () =>
      dockerctl('backup', 'send', id, `vault:${there}`),
    );
    const { status, stderr } = await dockerctl('backup', 'send', id, `vault:${there}`);
    assert.is(status, 0, stderr);
    assert.equal(await wholeSnapshots(there, context), [...known, id], `round ${round}`);
    known = [...known, id];
  }
});

test('a sender killed at any moment leaves the other repository whole, and the next try completes', async () => {
  const there = join(root, 'sender-killed');
  let known: string[] = [];
  for (let round = 0; round < 4; round++) {
    const id = await backup();
    const sender = start('backup', 'send', id, `vault:${there}`);
    const closed = once(sender, 'close'); // It may have ended before it is killed.
    await setTimeout(300 + 900 * random());
    sender.kill('SIGKILL');
    await closed;
    const status = await untilFree(id, there);
    assert.is(status, 0);
    assert.equal(await wholeSnapshots(there, context), [...known, id], `round ${round}`);
    known = [...known, id];
  }
});

test('what went wrong over there is told here, with its exit status', async () => {
  const down = await dockerctl('backup', 'send', 'latest', 'down:/b');
  assert.is(down.status, 1);
  assert.match(down.stderr, 'down:/b: ssh: connect to host down port 22: Connection refused');
  const bare = await dockerctl('backup', 'send', 'latest', 'bare:/b');
  assert.is(bare.status, 1);
  assert.match(bare.stderr, 'dockerctl is not installed there, and rsync is not there');
  const there = join(root, 'other-files');
  mkdirSync(there);
  writeFileSync(join(there, 'thesis.txt'), '');
  const occupied = await dockerctl('backup', 'send', 'latest', `vault:${there}`);
  assert.is(occupied.status, 1, occupied.stderr);
  assert.match(occupied.stderr, 'other files are in there');
});

test('a snapshot that did not reach the other host is a failed run for everybody who watches', async () => {
  const { status, stderr } = await dockerctl('backup', 'down:/b');
  assert.is(status, 1);
  assert.match(
    stderr,
    /^dockerctl: warning: snapshot \w{12} is here, and owed: the next backup to down:\/b sends it\n/,
  );
  const { lastRun, lastComplete } = JSON.parse(readFileSync(join(root, 'failed'), 'utf8'));
  assert.is(lastRun.outcome, 'failed');
  assert.is(lastRun.snapshot, lastComplete.id, 'it is here, and whole');
  assert.match(lastRun.problem, 'down:/b: ssh: connect to host down port 22: Connection refused');
  assert.match(readFileSync(join(root, 'metrics.prom'), 'utf8'), /last_run_success\{[^}]*\} 0\n/);
  assert.match((await dockerctl('backup', 'status')).stdout, /last run: +.*, failed: sending snapshot/);
  rmSync(join(root, 'failed'));
  rmSync(join(root, 'succeeded'), { force: true });
  assert.is((await dockerctl('backup', `vault:${join(root, 'reached')}`)).status, 0);
  assert.is(JSON.parse(readFileSync(join(root, 'succeeded'), 'utf8')).lastRun.outcome, 'complete');
  assert.not.ok(existsSync(join(root, 'failed')));
});

test('what an earlier run could not send is sent by the next one that arrives, once, and nothing that others left here', async () => {
  const there = join(root, 'owed');
  await withEnvironment({ SSH_CUT: '3' }, () => failedRun(`vault:${there}`));
  const [owed = ''] = (await wholeSnapshots(here, context)).slice(-1);
  const besides = await backup();
  const next = await dockerctl('backup', `vault:${there}`);
  assert.is(next.status, 0, next.stderr);
  assert.match(
    next.stdout,
    new RegExp(`snapshot ${owed.slice(7, 19)}, owed since an earlier run, sent to .*B\n$`),
  );
  const [newest = ''] = (await wholeSnapshots(here, context)).slice(-1);
  assert.equal(
    await wholeSnapshots(there, context),
    [owed, newest],
    `not ${besides}, which nobody sent there`,
  );
  assert.is((await dockerctl('backup', 'remove', owed, '-r', `vault:${there}`, '--yes')).status, 0);
  const last = JSON.parse((await dockerctl('backup', `vault:${there}`, '--json')).stdout);
  assert.equal(last.sentLate, []);
  assert.equal(
    await wholeSnapshots(there, context),
    [newest, last.snapshot.id],
    'what was removed there is not sent again',
  );
});

test('a run that is killed between its snapshot and the other host owes it', async () => {
  const there = join(root, 'killed-between');
  const known = await listed();
  writeFileSync(join(data, 'changes'), randomBytes(3_000_000));
  const run = startCli(['backup', `vault:${there}`], { ...environment, SSH_SILENT: 'yes' });
  const closed = once(run, 'close');
  while (run.exitCode === null && (await listed()).length === known.length) await setTimeout(20);
  run.kill('SIGKILL');
  await closed;
  const [owed = ''] = (await listed()).slice(-1);
  const next = JSON.parse((await dockerctl('backup', `vault:${there}`, '--json')).stdout);
  assert.equal(
    next.sentLate.map(({ snapshot }: { snapshot: string }) => snapshot),
    [owed],
  );
  assert.equal(await wholeSnapshots(there, context), [owed, next.snapshot.id]);
});

test('one that is damaged here is warned of, and keeps no other from being sent', async () => {
  const there = join(root, 'damaged-owed');
  const blobs = join(here, 'blobs', 'sha256');
  const owed: string[] = [];
  const older = new Set(readdirSync(blobs));
  for (let run = 0; run < 2; run++) {
    writeFileSync(join(data, 'changes'), randomBytes(3_000_000));
    await withEnvironment({ SSH_CUT: '3' }, () => failedRun(`vault:${there}`));
    owed.push((await listed()).at(-1)!);
    if (run === 0) {
      const pack = readdirSync(blobs).find(
        (name) => !older.has(name) && statSync(join(blobs, name)).size > 2_000_000,
      )!;
      rmSync(join(blobs, pack));
    }
  }
  const next = await dockerctl('backup', `vault:${there}`);
  assert.is(next.status, 0, next.stderr);
  assert.match(next.stderr, `snapshot ${owed[0]!.slice(7, 19)} of an earlier run: `);
  assert.match(next.stdout, `snapshot ${owed[1]!.slice(7, 19)}, owed since an earlier run, sent to `);
});

/** Ids, be the repository in the middle of a commit. */
async function listed(): Promise<string[]> {
  const list: { id: string }[] = JSON.parse((await dockerctl('backup', 'list', '--json')).stdout);
  return list.map(({ id }) => id);
}

async function failedRun(to: string): Promise<void> {
  assert.is((await dockerctl('backup', to)).status, 1);
}

test('--dry-run says where it would go, and what is no address is refused before anything is done', async () => {
  const { stdout } = await dockerctl('backup', 'me@vault:/b', '--dry-run');
  assert.match(stdout, `would back up to ${here}, and send that to me@vault:/b:`);
  for (const to of ['-oProxyCommand=touch x:/b', 'vault:relative', 'a@-b:/c']) {
    assert.is((await dockerctl('backup', 'send', '--', 'latest', to)).status, 2, to);
  }
});

function start(...argv: string[]): ChildProcess {
  return startCli(argv, environment);
}

/** The receiver of a sender that was killed ends a moment later. */
async function untilFree(id: string, there: string): Promise<number> {
  for (let attempt = 0; ; attempt++) {
    const { status } = await dockerctl('backup', 'send', id, `vault:${there}`);
    if (status !== 11 || attempt === 100) return status;
    await setTimeout(200);
  }
}

test.run();
