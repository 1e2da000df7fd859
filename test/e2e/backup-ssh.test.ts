/** Real ssh, sshd and rsync between this host and "others" on loopback. */
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wholeSnapshots } from '../repository/carry/exported.ts';
import { runCli } from '../support/cli.ts';
import { startCli } from '../support/cli-process.ts';
import { needProgram } from '../support/debian-program.ts';
import { quietContext } from '../support/save-directory.ts';
import { makeSshKey, writeAllowedSigners } from '../support/ssh-keys.ts';
import { configureSsh, installDockerctl, startSshServer } from '../support/ssh-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

needProgram('rsync');
const root = temporaryDirectory();
const here = join(root, 'here');
const vault = join(root, 'vault');
const state = join(root, 'state');
const context = quietContext(state);
const environment = { DOCKERCTL_FILE: join(root, 'shop.yaml'), DOCKERCTL_STATE_DIR: state };
const signing = makeSshKey(root, 'signing');
const signers = writeAllowedSigners(join(root, 'signers'), [{ key: signing, as: 'shop.example' }]);
const [free, forced] = [makeSshKey(root, 'free'), makeSshKey(root, 'forced')];

for (const source of ['one', 'two', 'three']) mkdirSync(join(root, 'data', source), { recursive: true });
writeDeployment();

const withDockerctl = join(root, 'with-dockerctl');
const withRsync = join(root, 'with-rsync');
installDockerctl(withDockerctl);
mkdirSync(withRsync);
for (const program of ['rsync', 'sync']) symlinkSync(`/usr/bin/${program}`, join(withRsync, program));
const receive = `dockerctl backup receive --append-only --signers ${signers} ${vault}`;
const equipped = await startSshServer(join(root, 'sshd-equipped'), {
  path: `${withDockerctl}:/usr/bin:/bin`,
  authorized: [{ key: free }, { key: forced, options: `restrict,command="${receive}"` }],
});
const bare = await startSshServer(join(root, 'sshd-bare'), { path: withRsync, authorized: [{ key: free }] });
test.after(() => {
  equipped.stop();
  bare.stop();
});
const { knownHosts } = configureSsh(root, [
  { alias: 'vault', port: equipped.port, key: forced },
  { alias: 'equipped', port: equipped.port, key: free },
  { alias: 'bare', port: bare.port, key: free },
]);
const bothKnown = equipped.knownHost + bare.knownHost;

const dockerctl = (...argv: string[]) => runCli(argv, { environment });

function writeDeployment(signingKey = signing): void {
  const sources = ['one', 'two', 'three'].map((name) => `${name}: {paths: [${root}/data/${name}]}`);
  const text = `name: shop
x-dockerctl:
  backup: {repository: ${here}, signing-key: ${signingKey}, sources: {${sources.join(', ')}}}
`;
  writeFileSync(environment.DOCKERCTL_FILE, text, { mode: 0o600 });
}

/** New content in every source, so that each has a new pack of so many bytes. */
async function backup(size: number): Promise<string> {
  for (const source of ['one', 'two', 'three'])
    writeFileSync(join(root, 'data', source, 'file'), randomBytes(size));
  return JSON.parse((await dockerctl('backup', '--json')).stdout).snapshot.id;
}

test('a host whose key is not known, or is another than it was, is refused, and nothing is remembered', async () => {
  await backup(1000);
  const others = bare.knownHost.replace(String(bare.port), String(equipped.port));
  for (const known of ['', others]) {
    writeFileSync(knownHosts, known);
    for (const host of ['vault', 'bare']) {
      const { status, stderr } = await dockerctl('backup', 'send', 'latest', `${host}:${root}/never`);
      assert.is(status, 1);
      assert.match(stderr, 'Host key verification failed');
    }
    assert.is(readFileSync(knownHosts, 'utf8'), known);
  }
  assert.not.ok(existsSync(join(root, 'never')));
  writeFileSync(knownHosts, bothKnown);
});

test('behind a forced command snapshots can be added, and nothing else can be done', async () => {
  const sent = await dockerctl('backup', `vault:${root}/elsewhere`);
  assert.is(sent.status, 0, sent.stderr);
  const ids = await wholeSnapshots(vault, context);
  assert.is(ids.length, 1);
  assert.not.ok(existsSync(join(root, 'elsewhere')));
  const removed = await dockerctl('backup', 'remove', ids[0]!, '-r', `vault:${vault}`, '--yes');
  assert.is(removed.status, 1);
  assert.match(removed.stderr, 'lets itself be added to only');
  const before = contentsOf(vault);
  const ssh = (...argv: string[]) =>
    spawnSync('ssh', ['-o', 'BatchMode=yes', ...argv], { input: 'put x y\n' });
  assert.is.not(ssh('vault', `rm -rf ${vault}`).status, 0);
  assert.is.not(ssh('-s', 'vault', 'sftp').status, 0);
  assert.is.not(spawnSync('rsync', ['-r', '--delete', `${root}/data/`, `vault:${vault}/`]).status, 0);
  assert.equal(contentsOf(vault), before);
});

test('blobs that are there are not overwritten, whatever a sender says is in them', async () => {
  const before = contentsOf(vault);
  const blobs = join(here, 'blobs', 'sha256');
  const older = readdirSync(blobs);
  const id = await backup(2_000_000);
  const pack = readdirSync(blobs).find((name) => {
    return !older.includes(name) && statSync(join(blobs, name)).size > 2_000_000;
  })!;
  const good = readFileSync(join(blobs, pack));
  writeFileSync(join(blobs, pack), randomBytes(good.length));
  const spoilt = await dockerctl('backup', 'send', id, 'vault:/');
  assert.is(spoilt.status, 14, spoilt.stderr);
  assert.equal((await wholeSnapshots(vault, context)).includes(id), false);
  writeFileSync(join(blobs, pack), good);
  assert.is((await dockerctl('backup', 'send', id, 'vault:/')).status, 0);
  const after = contentsOf(vault);
  for (const [name, bytes] of before) assert.is(after.get(name), bytes, name);
});

test('the other host takes only what its signers signed, and the exit status says so here', async () => {
  const known = await wholeSnapshots(vault, context);
  writeDeployment(makeSshKey(root, 'intruder'));
  const { status, stderr } = await dockerctl('backup', 'vault:/');
  assert.is(status, 12, stderr);
  assert.match(stderr, `whom ${signers} does not allow`);
  assert.equal(await wholeSnapshots(vault, context), known);
  writeDeployment();
});

for (const [host, how, signal, end] of [
  ['equipped', 'dockerctl', 'SIGKILL', null],
  ['bare', 'rsync', 'SIGKILL', null],
  ['bare', 'rsync', 'SIGINT', 130],
] as const) {
  test(`a sender that gets ${signal} half-way leaves ${host} whole, and the next try by ${how} sends only the rest`, async () => {
    const { id, there, status } = await sendUntilHalf(host, signal);
    assert.is(status, end);
    if (existsSync(join(there, 'oci-layout'))) assert.equal(await wholeSnapshots(there, context), []);
    const done = await untilFree(['backup', 'send', id, `${host}:${there}`, '--json']);
    assert.is(done.status, 0, done.stderr);
    const { sent, by } = JSON.parse(done.stdout);
    assert.is(by, how);
    assert.ok(sent.bytes < 15_000_000, `${sent.bytes} bytes were left to send`);
    assert.equal(await wholeSnapshots(there, context), [id]);
  });
}

test('where dockerctl is not installed rsync takes what is missing, the index last, and deletes nothing', async () => {
  const there = join(root, "the bare host's");
  const first = await dockerctl('backup', `bare:${there}`);
  assert.is(first.status, 0, first.stderr);
  assert.match(
    first.stdout,
    /; by rsync, for dockerctl is not installed there: this host could overwrite what lies there\n$/,
  );
  const stranger = join(there, 'blobs', 'sha256', 'f'.repeat(64));
  writeFileSync(stranger, 'not ours');
  const before = contentsOf(there);
  writeFileSync(join(root, 'data', 'one', 'small'), 'a little more');
  const second = JSON.parse((await dockerctl('backup', `bare:${there}`, '--json')).stdout);
  assert.ok(second.sent.sent.bytes < 20_000, JSON.stringify(second.sent));
  const after = contentsOf(there);
  for (const [name, bytes] of before) assert.is(after.get(name), bytes, name);
  renameSync(stranger, `${root}/stranger`);
  const ids = await wholeSnapshots(there, context);
  assert.is(ids.length, 2);
  assert.is(ids.at(-1), second.snapshot.id);
  const again = await dockerctl('backup', 'send', 'latest', `bare:${there}`);
  assert.match(again.stdout, 'was already at');
  for (const made of [there, join(there, 'blobs')]) assert.is(statSync(made).mode & 0o777, 0o700, made);
  const restored = await dockerctl(
    'restore',
    'latest',
    '-r',
    there,
    '--to',
    join(root, 'out'),
    '--yes',
    '--signers',
    signers,
  );
  assert.is(restored.status, 0, restored.stderr);
  execFileSync('diff', ['-r', join(root, 'data', 'one'), join(root, 'out', 'one', root, 'data', 'one')]);
});

test('that this host has no place for what rsync is to be told is said, and of this host', async () => {
  const { TMPDIR = '' } = process.env;
  process.env.TMPDIR = join(root, 'nowhere');
  const { status, stderr } = await dockerctl('backup', 'send', 'latest', `bare:${root}/never`);
  process.env.TMPDIR = TMPDIR;
  if (TMPDIR === '') delete process.env.TMPDIR;
  assert.is(status, 1);
  assert.match(
    stderr,
    /^dockerctl: sending snapshot \w{12} to bare:\S+: here: ENOENT: .* mkdtemp '.*nowhere[^\n]+\n$/,
  );
});

test('where rsync is missing too, that is said, and which side lacks it', async () => {
  const { PATH = '' } = process.env;
  process.env.PATH = join(root, 'client-programs');
  const { status, stderr } = await dockerctl('backup', 'send', 'latest', `bare:${root}/never`);
  process.env.PATH = PATH;
  assert.is(status, 1);
  assert.match(stderr, 'dockerctl is not installed there, and rsync is not here');
});

test('a blob that was cut over there is sent again; one that is spoilt here is not sent', async () => {
  const there = join(root, 'mended');
  const id = await backup(5000);
  assert.is((await dockerctl('backup', 'send', id, `bare:${there}`)).status, 0);
  const pack = packsIn(there)[0]!;
  writeFileSync(pack, readFileSync(pack).subarray(0, 100));
  const mended = await dockerctl('backup', 'send', id, `bare:${there}`, '--json');
  assert.is(JSON.parse(mended.stdout).sent.blobs, 1, mended.stderr);
  assert.equal(await wholeSnapshots(there, context), [id]);
  const fresh = join(root, 'fresh');
  const own = join(here, 'blobs', 'sha256', pack.split('/').at(-1)!);
  const good = readFileSync(own);
  writeFileSync(own, randomBytes(good.length));
  const spoilt = await dockerctl('backup', 'send', id, `bare:${fresh}`);
  writeFileSync(own, good);
  assert.is(spoilt.status, 14, spoilt.stderr);
  assert.not.ok(existsSync(fresh));
});

test('rsync touches no directory that is no repository, and makes no parents', async () => {
  const occupied = join(root, 'occupied');
  mkdirSync(occupied);
  writeFileSync(join(occupied, 'thesis.txt'), 'years of work');
  const refused = await dockerctl('backup', 'send', 'latest', `bare:${occupied}`);
  assert.is(refused.status, 2);
  assert.match(refused.stderr, 'other files are in there');
  assert.equal(readdirSync(occupied), ['thesis.txt']);
  const nowhere = await dockerctl('backup', 'send', 'latest', `bare:${root}/no/such/parent`);
  assert.is(nowhere.status, 1);
  assert.match(
    nowhere.stderr,
    /mkdir .*no\/such\/parent.* failed: .*\n {2}Make the directory above it there first\n$/,
  );
});

/** A new snapshot on its way to a new place, whose sender got the signal in the middle; another if it was the quicker. */
async function sendUntilHalf(host: string, signal: NodeJS.Signals) {
  for (let attempt = 1; ; attempt++) {
    const there = join(root, `${signal}-${host}-${attempt}`);
    const id = await backup(6_000_000);
    const child = start('backup', 'send', id, `${host}:${there}`);
    const closed = once(child, 'close');
    while (child.exitCode === null && !hasPack(there)) await setTimeout(2);
    child.kill(signal);
    const [status] = (await closed) as [number | null];
    if (status !== 0) return { id, there, status };
  }
}

function start(...argv: string[]): ChildProcess {
  return startCli(argv, { TMPDIR: root, ...environment });
}

/** The receiver of a sender that was killed ends a moment later. */
async function untilFree(argv: string[]) {
  for (let attempt = 0; ; attempt++) {
    const result = await dockerctl(...argv);
    if (result.status !== 11 || attempt === 100) return result;
    await setTimeout(200);
  }
}

function packsIn(directory: string): string[] {
  const blobs = join(directory, 'blobs', 'sha256');
  const names = existsSync(blobs) ? readdirSync(blobs).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
  return names.map((name) => join(blobs, name)).filter((path) => statSync(path).size > 4500);
}

function hasPack(directory: string): boolean {
  return packsIn(directory).length > 0;
}

/** The blobs of a repository and their bytes. */
function contentsOf(directory: string): Map<string, string> {
  const blobs = join(directory, 'blobs', 'sha256');
  return new Map(readdirSync(blobs).map((name) => [name, readFileSync(join(blobs, name), 'latin1')]));
}

test.run();
