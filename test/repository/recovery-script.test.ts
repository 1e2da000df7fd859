import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeIdentity, generateIdentity, type Identity } from '../../src/repository/age/keys.ts';
import type { Entry } from '../../src/repository/entry.ts';
import { openOrCreateRepository } from '../../src/repository/open.ts';
import { needProgram } from '../support/debian-program.ts';
import { flip } from '../support/flip.ts';
import { makeOddTree } from '../support/odd-tree.ts';
import { quietContext, saveDirectories, saveDirectory } from '../support/save-directory.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const script = join(root, 'recover.sh');
const source = join(root, 'source');
writeFileSync(script, scriptOfDocument());
makeOddTree(source);
writeFileSync(join(source, 'nothing but a hole'), '');
truncateSync(join(source, 'nothing but a hole'), 1 << 20);
for (const program of ['jq', 'zstd', 'age', 'busybox']) needProgram(program);
needProgram('setfattr', 'attr');

const signingKey = makeSshKey(root, 'signing');

/** The script as a reader of the document would save it. */
function scriptOfDocument(): string {
  const [, found] =
    /```sh\n(#!\/bin\/sh\n[\s\S]*?)```/.exec(readFileSync('docs/backup-format.md', 'utf8')) ?? [];
  if (found === undefined) throw new Error('the document has no script');
  return found;
}

/** Saves the odd tree, recovers it with the script alone, saves what came back, and compares the two trees. */
async function recoverAndCompare(
  name: string,
  keys: Identity[],
  shell: string[],
  { comparable, path }: { comparable: (entry: Entry) => unknown; path?: string } = {
    comparable: unlikeInCopies,
  },
): Promise<void> {
  const directory = join(root, name);
  const target = join(root, `${name}-target`);
  const repository = await openOrCreateRepository(directory, context, { identities: keys });
  const snapshot = await saveDirectories(repository, { odd: source }, context, keys, signingKey);
  const keyFile = join(root, `${name}.key`);
  writeFileSync(keyFile, keys.map(encodeIdentity).join('\n'));
  const named = [name, snapshot.id.slice(7, 15), `${name}-target`];
  const argv = [...named, ...(keys.length > 0 ? [`${name}.key`] : [])];
  const { status, stderr } = recover(shell, argv, path);
  assert.is(status, 0, stderr);
  assert.is(stderr, '');
  const again = await saveDirectories(repository, { odd: join(target, 'odd') }, context, keys);
  const before = await Array.fromAsync(repository.entries(snapshot, 'odd'), comparable);
  const after = await Array.fromAsync(repository.entries(again, 'odd'), comparable);
  assert.ok(before.length > 15);
  assert.equal(after, before);
  await repository.close();
}

/** Runs the script as somebody does who stands beside the repository. */
function recover(
  [shell, ...words]: string[],
  argv: string[],
  path = process.env.PATH,
): { status: number | null; stderr: string } {
  const env = { ...process.env, PATH: path };
  const options = { encoding: 'utf8', cwd: root, env } as const;
  const { status, stderr } = spawnSync(shell!, [...words, 'recover.sh', ...argv], options);
  return { status, stderr };
}

/** An entry without what is different in every copy. */
function unlikeInCopies({ inode: _, ctime: __, ...entry }: Entry): Omit<Entry, 'inode' | 'ctime'> {
  return entry;
}

test('the script of the document rebuilds a snapshot, every kind of file and name included', async () => {
  await recoverAndCompare('plain', [], ['sh']);
});

test('the programs of busybox do, but for fractions of seconds and extended attributes', async () => {
  const programs = join(root, 'programs');
  mkdirSync(programs);
  const applets = spawnSync('busybox', ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n');
  for (const applet of applets) symlinkSync('/bin/busybox', join(programs, applet));
  for (const program of ['age', 'jq', 'zstd']) {
    rmSync(join(programs, program), { force: true });
    symlinkSync(`/usr/bin/${program}`, join(programs, program));
  }
  const comparable = ({ xattrs: _, mtime, ...entry }: Entry) => {
    return unlikeInCopies({ ...entry, mtime: mtime / 1_000_000_000n });
  };
  const sh = [join(programs, 'sh')];
  await recoverAndCompare('busybox', [generateIdentity()], sh, { comparable, path: programs });
});

test('with a key it rebuilds an encrypted one', async () => {
  await recoverAndCompare('sealed', [generateIdentity()], ['bash']);
});

test('it stops at a damaged blob', async () => {
  const directory = join(root, 'damaged');
  const repository = await openOrCreateRepository(directory, context);
  const files = join(root, 'files');
  mkdirSync(files);
  writeFileSync(join(files, 'file'), 'content');
  const { id } = await saveDirectories(repository, { files }, context);
  await repository.close();
  const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  const blobs = join(directory, 'blobs', 'sha256');
  const manifest = JSON.parse(readFileSync(join(blobs, index.manifests[0].digest.slice(7)), 'utf8'));
  flip(join(blobs, manifest.layers[0].digest.slice(7)), 20);
  const { status } = spawnSync('sh', [script, directory, id.slice(7, 15), join(root, 'damaged-target')]);
  assert.is.not(status, 0);
});

test('it writes through no link of a tree that is meant to harm', async () => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  const link = (path: string, target: string): Entry => ({ ...plain(path), type: 'symlink', target });
  const trees: Record<string, Entry[]> = {
    'a link in a link': [link('a', outside), link('a/x', '/etc/passwd')],
    'a directory in a link': [link('a', outside), { ...plain('a/x'), type: 'directory' }],
  };
  for (const [name, entries] of Object.entries(trees)) {
    const directory = name.replaceAll(' ', '-');
    const repository = await openOrCreateRepository(join(root, directory), context);
    const run = await repository.beginRun({ host: 'h', deployment: 'd', release: undefined }, context);
    await saveDirectory(run, 'real', source, context);
    const writer = await run.beginSource({ name: 'files', title: 'Files', kind: 'paths', origin: {} });
    for (const entry of entries) await writer.add(entry);
    await writer.end();
    const { id } = await run.commit();
    await repository.close();
    const { stderr } = recover(['sh'], [directory, id.slice(7, 19), `${directory}-target`]);
    assert.match(stderr, /refused: .\/a\/x|cannot overwrite directory/, name);
    assert.equal(readdirSync(outside), [], name);
  }
});

function plain(path: string): Omit<Entry, 'type'> {
  return { path, mode: 0o755, uid: 0, gid: 0, mtime: 0n, inode: 1, ctime: 0n };
}

test('it fails where there is no such snapshot, and where the key is not the one', () => {
  const unknown = recover(['sh'], ['plain', 'ffffffffffff', 'no-target']);
  assert.is.not(unknown.status, 0);
  assert.match(unknown.stderr, 'no snapshot ffffffffffff');
  const { manifests } = JSON.parse(readFileSync(join(root, 'sealed', 'index.json'), 'utf8'));
  const id = manifests[0].annotations['org.opencontainers.image.ref.name'];
  writeFileSync(join(root, 'other.key'), encodeIdentity(generateIdentity()));
  for (const key of ['other.key', 'missing.key']) {
    assert.is.not(recover(['sh'], ['sealed', id, `target-${key}`, key]).status, 0, key);
  }
});

test.run();
