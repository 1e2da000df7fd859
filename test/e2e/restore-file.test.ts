import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeIdentity, encodeRecipient, generateIdentity } from '../../src/repository/age/keys.ts';
import { runCli } from '../support/cli.ts';
import { startCli } from '../support/cli-process.ts';
import { makeSshKey, writeAllowedSigners } from '../support/ssh-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const data = join(root, 'data');
const media = join(root, 'media');
const key = makeSshKey(root, 'host');
const signers = writeAllowedSigners(join(root, 'signers'), [{ key, as: 'master.example' }]);
const identity = generateIdentity();
writeFileSync(join(root, 'identity'), encodeIdentity(identity));

mkdirSync(join(data, 'sub'), { recursive: true });
mkdirSync(media);
writeFileSync(join(data, 'large'), randomBytes(3_000_000));
writeFileSync(join(data, 'sub', 'small'), 'small', { mode: 0o640 });
symlinkSync('large', join(data, 'link'));
writeFileSync(join(root, 'bulk'), 'bulk');

/** A machine that has nothing but its own state. */
function bareMachine() {
  const home = mkdtempSync(join(root, 'bare-'));
  const environment = { DOCKERCTL_STATE_DIR: join(home, 'state') };
  return {
    home,
    out: join(home, 'out'),
    environment,
    unpacked: () =>
      existsSync(join(home, 'state', 'unpacked')) ? readdirSync(join(home, 'state', 'unpacked')) : [],
    run: (...argv: string[]) => runCli(argv, { environment, workingDirectory: home }),
  };
}

/** Backs up on the host, and exports it. */
async function exportAs(name: string, { backup = '', options = [] as string[] } = {}): Promise<string> {
  const home = mkdtempSync(join(root, 'host-'));
  const file = join(home, 'host.yaml');
  const text = `name: host
x-dockerctl:
  backup:
    repository: ${home}/repository
    signing-key: ${key}
    ${backup}
    sources:
      data: {title: The data, paths: [${data}]}
      bulk: {title: The bulk, paths: [${root}/bulk], full: true}
`;
  writeFileSync(file, text, { mode: 0o600 });
  const run = (...argv: string[]) => runCli(['-f', file, '--state-dir', join(home, 'state'), ...argv]);
  assert.is((await run('backup', '--full')).status, 0);
  const done = await run('backup', 'export', 'latest', '-o', join(media, name), ...options);
  assert.is(done.status, 0, done.stderr);
  return join(media, name);
}

function sameAsData(out: string): void {
  execFileSync('diff', ['-r', '--no-dereference', data, join(out, 'data', data)]);
}

const plain = await exportAs('plain.tar');
const compressed = await exportAs('compressed.tar.zst');

test('an exported archive is restored as it is, plain or compressed, and nothing else is left', async () => {
  for (const file of [plain, compressed, await exportAs('a.tar.gz'), await exportAs('a.tar.xz')]) {
    const { run, out, unpacked } = bareMachine();
    const { status, stdout, stderr } = await run('restore', file, '--to', out, '--yes');
    assert.is(status, 0, stderr);
    assert.match(stdout, /^restored The data: \d files,/m);
    sameAsData(out);
    assert.equal(readdirSync(out).sort(), ['bulk', 'data', 'deployment']);
    assert.equal(unpacked(), [], file);
  }
});

test('a plain archive on read-only media is read where it lies; --only, --signers and --dry-run work', async () => {
  const { run, out, home } = bareMachine();
  const mount = join(home, 'cdrom');
  mkdirSync(mount);
  execFileSync('mount', ['--bind', '-o', 'ro', media, mount]);
  try {
    execFileSync('mount', ['-o', 'remount,bind,ro', mount]);
    const file = join(mount, 'plain.tar');
    const dry = await run('restore', file, '--to', out, '--signers', signers, '--dry-run');
    assert.is(dry.status, 0, dry.stderr);
    assert.match(dry.stdout, 'signed by master.example');
    assert.not.ok(existsSync(out));
    const { status, stderr } = await run('restore', file, '--to', out, '--only', 'data', '--yes');
    assert.is(status, 0, stderr);
    sameAsData(out);
    assert.equal(readdirSync(out), ['data']);
  } finally {
    execFileSync('umount', [mount]);
  }
});

test('on the host itself, an archive replaces what is there, and can be taken back', async () => {
  const { run, home } = bareMachine();
  const file = join(home, 'here.yaml');
  const text = `name: host
x-dockerctl: {backup: {repository: ${home}/r, sources: {data: {paths: [${data}]}, bulk: {paths: [${root}/bulk], full: true}}}}
`;
  writeFileSync(file, text, { mode: 0o600 });
  writeFileSync(join(data, 'sub', 'small'), 'changed');
  writeFileSync(join(root, 'bulk'), 'changed');
  const done = await run('-f', file, 'restore', compressed, '--yes');
  assert.is(done.status, 0, done.stderr);
  assert.is(readFileSync(join(data, 'sub', 'small'), 'utf8'), 'small');
  assert.is(readFileSync(join(root, 'bulk'), 'utf8'), 'changed', 'only with --full');
  assert.is((await run('-f', file, 'restore', '--rollback', '--yes')).status, 0);
  assert.is(readFileSync(join(data, 'sub', 'small'), 'utf8'), 'changed');
  assert.is((await run('-f', file, 'restore', plain, '--full', '--yes')).status, 0);
  assert.is(readFileSync(join(root, 'bulk'), 'utf8'), 'bulk');
  assert.is((await run('-f', file, 'restore', '--drop-old', '--yes')).status, 0);
});

test('volumes are restored in any order and without joining them; a missing one is named', async () => {
  const { run, out } = bareMachine();
  await exportAs('split.tar', { options: ['--split', '700K'] });
  const volumes = readdirSync(media).filter((name) => name.startsWith('split.tar.'));
  const paths = volumes.map((name) => join(media, name));
  const done = await run('restore', ...paths.toReversed(), '--to', out, '--yes');
  assert.is(done.status, 0, done.stderr);
  sameAsData(out);
  const again = bareMachine();
  assert.is(
    (await again.run('restore', paths[2]!, '--to', again.out, '--yes')).status,
    0,
    'the rest lies beside it',
  );
  rmSync(paths[1]!);
  const missing = await run('restore', paths[0]!, '--to', out, '--yes');
  assert.is(missing.status, 10);
  assert.match(missing.stderr, /volume 2 of \d is missing/);
});

test('an archive comes through a pipe, where --yes is said', async () => {
  const { out, environment, unpacked } = bareMachine();
  const argv = ['restore', '-', '--to', out, '--yes'];
  const { status, stderr } = await runCli(argv, { environment, stdin: readFileSync(plain) });
  assert.is(status, 0, stderr);
  sameAsData(out);
  assert.equal(unpacked(), []);
});

test('what is cut, spoilt or no export at all is refused before anything is written', async () => {
  for (const [name, file] of Object.entries({ plain, compressed })) {
    const size = readFileSync(file).length;
    for (const length of [0, 100, 5000, size >> 1, size - 5000]) {
      const { run, out, home, unpacked } = bareMachine();
      const cut = join(home, 'cut.tar');
      copyFileSync(file, cut);
      chmodSync(cut, 0o600);
      truncateSync(cut, length);
      const { status, stderr } = await run('restore', cut, '--to', out, '--yes');
      assert.is(status, 14, `${name} cut at ${length}: ${stderr}`);
      assert.ok(stderr.trim().split('\n').length <= 3, stderr);
      if (/bytes too early/.test(stderr)) assert.match(stderr, 'dockerctl backup import --skip-damaged');
      assert.not.ok(existsSync(out));
      assert.equal(unpacked(), []);
    }
  }
  const { run, home } = bareMachine();
  writeFileSync(join(home, 'other.tar'), execFileSync('tar', ['-c', '-C', root, 'signers']));
  assert.is((await run('restore', './other.tar', '--to', 'out', '--yes')).status, 14);
  assert.is((await run('restore', './none.tar', '--to', 'out', '--yes')).status, 10);
  assert.is((await run('restore', home, '--to', 'out', '--yes')).status, 2);
  const repository = join(home, 'repository');
  assert.is((await run('backup', 'import', plain, '-r', repository)).status, 0);
  const named = await run('restore', repository, '--to', 'out', '--yes');
  assert.is(named.status, 2);
  assert.match(
    named.stderr,
    `is a backup repository, not an exported archive\n  Say latest --repository ${repository}`,
  );
  const taken = await run('backup', 'import', './repository', '-r', 'other');
  assert.match(taken.stderr, `dockerctl backup export latest -r ${repository} | dockerctl backup import -`);
  const into = await run('restore', plain, '--to', join(home, 'other.tar'), '--yes');
  assert.match(into.stderr, 'something above it is no directory\n  Move that away, or name another');
  assert.is((await run('restore', plain, compressed, '--to', 'out', '--yes')).status, 2);
  assert.is((await run('restore', 'latest', 'a1', '--to', 'out', '--yes')).status, 2);
});

test('a byte that is wrong in the content is damage, and nothing of it stays', async () => {
  const { run, out, home } = bareMachine();
  const spoilt = join(home, 'spoilt.tar');
  const bytes = readFileSync(plain);
  const large = readFileSync(join(data, 'large'));
  // A block of the compressed stream, or a chunk, may end just where one looks.
  const found = [1_400_000, 1_500_000, 1_600_000].map((from) =>
    bytes.indexOf(large.subarray(from, from + 64)),
  );
  const at = Math.max(...found);
  assert.ok(at > 0, 'what does not compress lies there as it is');
  bytes[at]! ^= 1;
  writeFileSync(spoilt, bytes);
  const { status, stderr } = await run('restore', spoilt, '--to', out, '--yes');
  assert.is(status, 14, stderr);
  assert.not.ok(existsSync(join(out, 'data')));
});

test('what is encrypted asks for the key, and says so with 12', async () => {
  const recipients = `recipients: [${encodeRecipient(identity)}]`;
  for (const name of ['sealed.tar', 'sealed.tar.zst']) {
    const file = await exportAs(name, { backup: recipients });
    const { run, out, home } = bareMachine();
    const refused = await run('restore', file, '--to', out, '--yes');
    assert.is(refused.status, 12, refused.stderr);
    assert.match(refused.stderr, '--identity');
    assert.not.ok(existsSync(out));
    writeFileSync(join(home, 'wrong'), encodeIdentity(generateIdentity()));
    assert.is((await run('restore', file, '--to', out, '--yes', '-i', 'wrong')).status, 12);
    const done = await run('restore', file, '--to', out, '--yes', '-i', join(root, 'identity'));
    assert.is(done.status, 0, done.stderr);
    sameAsData(out);
  }
});

test('killed while it restores, it goes on with --resume, and then nothing is left', async () => {
  writeFileSync(join(data, 'huge'), randomBytes(60_000_000));
  for (const file of [
    await exportAs('huge.tar'),
    await exportAs('huge.tar.zst', { options: ['--level', '1'] }),
  ]) {
    const { run, out, unpacked } = await killWhileItRestores(file);
    assert.match((await run('restore', '--status')).stdout, 'UNFINISHED');
    assert.is(unpacked().length, file.endsWith('.zst') ? 1 : 0);
    const done = await run('restore', '--resume');
    assert.is(done.status, 0, done.stderr);
    sameAsData(out);
    assert.equal(unpacked(), []);
  }
});

/** A machine whose restore was killed in the middle; another one if it was the quicker of both. */
async function killWhileItRestores(file: string): Promise<ReturnType<typeof bareMachine>> {
  for (;;) {
    const machine = bareMachine();
    const child = startCli(['restore', file, '--to', machine.out, '--yes'], machine.environment);
    const closed = once(child, 'close');
    const journals = join(machine.home, 'state', 'restores');
    while (child.exitCode === null && !hasBegun(journals)) await setTimeout(2);
    child.kill('SIGKILL');
    const [status] = await closed;
    if (status === null) return machine;
    assert.is(status, 0);
  }
}
/** The journal is there: from now on a killed restore is unfinished. */
function hasBegun(journals: string): boolean {
  return existsSync(journals) && readdirSync(journals).some((name) => name.endsWith('.json'));
}

test.run();
