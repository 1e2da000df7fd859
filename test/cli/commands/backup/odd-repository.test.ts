import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../../src/oci/digest.ts';
import { signWithSshKey } from '../../../../src/support/ssh-signature.ts';
import { runCli } from '../../../support/cli.ts';
import { makeSshKey } from '../../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const home = temporaryDirectory();
const repository = join(home, 'repository');
const blobs = join(repository, 'blobs', 'sha256');
const source = join(home, 'data');
mkdirSync(source);
writeFileSync(join(source, 'a'), 'one');
writeFileSync(
  join(home, 'dockerctl.yaml'),
  `name: host
x-dockerctl:
  backup: {repository: ${repository}, signing-key: none, keep: {last: 1}, sources: {data: {paths: [${source}]}}}
`,
  { mode: 0o600 },
);
const run = (...argv: string[]) =>
  runCli(['-f', join(home, 'dockerctl.yaml'), '--state-dir', join(home, 'state'), 'backup', ...argv]);
assert.is((await run()).status, 0);
writeFileSync(join(source, 'a'), 'two');
assert.is((await run()).status, 0);
cpSync(repository, join(home, 'whole'), { recursive: true });

/** The hex of the newest snapshot's manifest, and of its first pack. */
function newest(): { manifest: string; pack: string } {
  const { manifests } = JSON.parse(readFileSync(join(repository, 'index.json'), 'utf8'));
  const manifest = manifests.at(-1).digest.slice('sha256:'.length);
  const { layers } = JSON.parse(readFileSync(join(blobs, manifest), 'utf8'));
  const pack = layers.find(({ mediaType }: { mediaType: string }) => /[.]pack[.]/.test(mediaType));
  return { manifest, pack: pack.digest.slice('sha256:'.length) };
}

test.before.each(() => {
  rmSync(repository, { recursive: true });
  cpSync(join(home, 'whole'), repository, { recursive: true });
});

function putDirectoryAt(path: string): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
}

test('a directory in the place of a manifest is damage that is named, and hinders no backup', async () => {
  const { manifest } = newest();
  putDirectoryAt(join(blobs, manifest));
  const listed = await run('list');
  assert.is(listed.status, 0);
  assert.match(listed.stderr, `${manifest}: it is no file`);
  const verified = await run('verify');
  assert.is(verified.status, 14);
  assert.match(verified.stdout, manifest);
  const { status, stderr } = await run();
  assert.is(status, 0);
  assert.is(stderr.match(/cannot be read/g)?.length, 1, 'it is warned of once');
});

test('a blob that cannot be read is damage, and what lies behind it is checked all the same', async () => {
  const { pack } = newest();
  rmSync(join(blobs, pack));
  symlinkSync(home, join(blobs, pack));
  const { status, stdout } = await run('verify');
  assert.is(status, 14);
  assert.match(stdout, `${pack}: this blob cannot be read: EISDIR`);
  assert.match(stdout, /damaged in 1 place: 2 snapshots, \d+ blobs/);
  assert.match(stdout, 'dockerctl backup repair');
});

test('without its blobs a repository is damaged, and nothing begins a new one in its place', async () => {
  rmSync(join(repository, 'blobs'), { recursive: true });
  for (const argv of [[], ['list'], ['verify'], ['prune'], ['repair']]) {
    const { status, stderr } = await run(...argv);
    assert.is(status, 14, argv.join(' '));
    assert.match(stderr, 'its directory blobs/sha256 is gone');
  }
});

test('a pipe in the place of a pack keeps nobody waiting', async () => {
  const path = join(blobs, newest().pack);
  rmSync(path);
  execFileSync('mkfifo', [path]);
  assert.is((await run('verify', '--read-data')).status, 14);
  assert.is((await run('export', 'latest', '-o', join(home, 'out.tar'))).status, 14);
});

test('a pack that is gone fails the export as damage, with what to do', async () => {
  rmSync(join(blobs, newest().pack));
  const { status, stderr } = await run('export', 'latest', '-o', join(home, 'out.tar'));
  assert.is(status, 14);
  assert.match(stderr, 'dockerctl backup repair may mend it');
});

test('directories in the place of locks are named, and one in that of the reserve is passed over', async () => {
  putDirectoryAt(join(repository, 'reserve'));
  assert.is((await run('prune')).status, 0);
  for (const name of ['lock', 'readers.lock']) {
    putDirectoryAt(join(repository, name));
    const { status, stderr } = await run();
    assert.is(status, 1);
    assert.match(stderr, `${name}: it is no file of its own`);
    rmSync(join(repository, name), { recursive: true });
  }
});

test('a damaged list of files is read anew, and the warning says so', async () => {
  const { manifest } = newest();
  const { layers } = JSON.parse(readFileSync(join(blobs, manifest), 'utf8'));
  const trees = layers.filter(({ mediaType }: { mediaType: string }) => /[.]tree[.]/.test(mediaType));
  for (const { digest } of trees) writeFileSync(join(blobs, digest.slice('sha256:'.length)), 'spoilt');
  const { status, stderr } = await run();
  assert.is(status, 0);
  assert.match(stderr, 'data: files are read anew, for the last list of them is damaged');
});

test('a signature that is whole but of something else is damage, for no restore would take it', async () => {
  const { manifest } = newest();
  const signature = await signWithSshKey('something else', makeSshKey(home, 'host'), 'dockerctl-snapshot');
  const document = JSON.parse(readFileSync(join(blobs, manifest), 'utf8'));
  const mediaType = 'application/vnd.dockerctl.signature.v1+ssh';
  document.layers.push({ mediaType, digest: putBlob(signature), size: signature.length });
  const text = JSON.stringify(document);
  const replaced = readFileSync(join(repository, 'index.json'), 'utf8')
    .replace(`sha256:${manifest}`, putBlob(text))
    .replace(`"size":${statSync(join(blobs, manifest)).size}`, `"size":${text.length}`);
  writeFileSync(join(repository, 'index.json'), replaced);
  rmSync(join(blobs, manifest));
  const { status, stdout } = await run('verify');
  assert.is(status, 14, stdout);
  assert.match(stdout, 'its signature does not match');
  assert.is((await run('verify', '--json')).stdout.match(/does not match/g)?.length, 1);
});

function putBlob(content: string): string {
  const digest = digestOf(Buffer.from(content));
  writeFileSync(join(blobs, digest.slice('sha256:'.length)), content);
  return digest;
}

test('only a directory of this host is looked at', async () => {
  for (const elsewhere of ['vault:/srv/backups', '']) {
    const { status, stderr } = await run('list', '-r', elsewhere);
    assert.is(status, 2);
    assert.match(stderr, '--repository');
  }
});

test('several identities may be given, and the one that opens is found', async () => {
  const file = join(home, 'sealed.yaml');
  writeFileSync(
    file,
    `name: sealed
x-dockerctl:
  backup:
    repository: ${home}/sealed
    signing-key: none
    sources: {data: {paths: [${source}]}}
`,
    { mode: 0o600 },
  );
  const sealed = (...argv: string[]) =>
    runCli(['-f', file, '--state-dir', join(home, 'state'), 'backup', ...argv]);
  const key = async (name: string) => {
    writeFileSync(join(home, name), (await sealed('key', 'generate')).stdout);
    return join(home, name);
  };
  const opens = await key('first');
  assert.is((await sealed()).status, 0);
  const other = await key('second');
  const refused = await sealed('ls', 'latest', '-i', other);
  assert.is(refused.status, 12);
  const recipient = /age1\w+/.exec(readFileSync(opens, 'utf8'))?.[0] ?? 'none';
  assert.match(refused.stderr, `Give the private key of ${recipient} with --identity FILE`);
  assert.match((await sealed('ls', 'latest')).stderr, recipient);
  assert.is((await sealed('ls', 'latest', '-i', opens, '-i', other)).status, 0);
});

test('a private key that cannot be read is told in words, with what to name instead', async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'blobs', 'sha256'), { recursive: true });
  writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  for (const [named, what] of Object.entries({
    [join(root, 'no-such-key')]: 'there is no such file',
    [root]: 'it is a directory',
  })) {
    const { status, stderr } = await runCli(['backup', 'ls', 'latest', '-r', root, '-i', named]);
    assert.is(status, 12);
    assert.match(
      stderr,
      `reading the private key from ${named}: ${what}\n  Name the file that holds the key`,
    );
  }
});

test.run();
