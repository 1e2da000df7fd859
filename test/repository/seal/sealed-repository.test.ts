import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encodeIdentity,
  encodeRecipient,
  generateIdentity,
  type Identity,
  type Recipient,
} from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import type { VerifyReport } from '../../../src/repository/repository.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { SignatureError } from '../../../src/support/errors.ts';
import { needProgram } from '../../support/debian-program.ts';
import { flip } from '../../support/flip.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { exported, imported, stream } from '../carry/exported.ts';

const root = temporaryDirectory();
const [alice, bob] = [generateIdentity(), generateIdentity()];
const large = randomBytes(3_000_000);
/** Files that are a moment old are read again, and their piece of the tree is sealed again. */
const nextToNothing = 50_000;

/** A host with something to save, that has recipients and no key. */
class Host {
  readonly root = mkdtempSync(join(root, 'host-'));
  readonly files = join(this.root, 'files');
  readonly repository = join(this.root, 'repository');
  readonly stateDir = join(this.root, 'state');
  readonly warnings: string[] = [];

  constructor() {
    mkdirSync(join(this.files, 'sub'), { recursive: true });
    writeFileSync(join(this.files, 'sub', 'large'), large);
    for (let i = 0; i < 200; i++) writeFileSync(join(this.files, `small-${i}`), `rows of ${i}`);
  }

  get context() {
    const context = quietContext(this.stateDir);
    const progress = { ...context.progress, warn: (message: string) => void this.warnings.push(message) };
    return { ...context, progress };
  }

  async save(...recipients: Recipient[]): Promise<Snapshot> {
    const repository = await openOrCreateRepository(this.repository, this.context);
    try {
      return await saveDirectories(repository, { files: this.files }, this.context, recipients);
    } finally {
      await repository.close();
    }
  }

  /** The bytes of a saved file, read with these keys alone. */
  async read(snapshot: Snapshot, path: string, ...identities: Identity[]): Promise<Buffer> {
    const repository = await openRepository(this.repository, this.context, { identities });
    try {
      const entries = await Array.fromAsync(repository.entries(snapshot, 'files'));
      const entry = entries.find((one) => one.path === path);
      assert.ok(entry !== undefined);
      return Buffer.concat(await Array.fromAsync(repository.content(snapshot, entry)));
    } finally {
      await repository.close();
    }
  }

  async verify(readData: boolean, ...identities: Identity[]): Promise<VerifyReport> {
    const repository = await openRepository(this.repository, this.context, { identities });
    try {
      return await repository.verify({ readData }, this.context);
    } finally {
      await repository.close();
    }
  }

  blobs(): string[] {
    const directory = join(this.repository, 'blobs', 'sha256');
    return readdirSync(directory).map((name) => join(directory, name));
  }

  cache(): string[] {
    const directory = join(this.stateDir, 'cache');
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }
}

async function refusal(promise: Promise<unknown>): Promise<SignatureError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SignatureError);
  return error as SignatureError;
}

test('every blob but manifest and config is an age file that the age program opens', async () => {
  needProgram('age');
  needProgram('zstd');
  const host = new Host();
  const snapshot = await host.save(alice);
  assert.is(snapshot.recipients.length, 1);
  const key = join(host.root, 'key.txt');
  writeFileSync(key, encodeIdentity(alice));
  const [clear, sealed] = [true, false].map((wanted) => {
    return host.blobs().filter((path) => readFileSync(path, 'latin1').startsWith('{') === wanted);
  }) as [string[], string[]];
  assert.is(clear.length, 2);
  for (const path of sealed) {
    const plain = execFileSync('age', ['-d', '-i', key, path], { maxBuffer: 1 << 28 });
    execFileSync('zstd', ['-t', '-q'], { input: plain });
  }
  const all = Buffer.concat(host.blobs().map((path) => readFileSync(path)));
  for (const secret of ['rows of', 'small-1']) assert.is(all.includes(secret), false);
  assert.is(all.includes(large.subarray(1000, 1100)), false);
  const manifests = clear.map((path) => readFileSync(path, 'utf8')).filter((text) => text.includes('+age'));
  assert.is(manifests.length, 1);
  assert.match(manifests[0]!, /pack\.v1\.tar\+zstd\+age/);
});

test('what was saved is read back with any one of the keys, and with no other', async () => {
  const host = new Host();
  const snapshot = await host.save(alice, bob);
  for (const key of [alice, bob]) {
    assert.equal(await host.read(snapshot, 'sub/large', key), large);
    assert.is((await host.read(snapshot, 'small-7', generateIdentity(), key)).toString(), 'rows of 7');
  }
  assert.match((await refusal(host.read(snapshot, 'sub/large'))).message, /no private key is at hand/);
  assert.match(
    (await refusal(host.read(snapshot, 'sub/large', generateIdentity()))).message,
    /no private key given/,
  );
});

test('the host needs no key for an incremental backup', async () => {
  const host = new Host();
  const first = await host.save(alice);
  const second = await host.save(alice);
  assert.is(second.sources[0]?.newBytes, 0);
  assert.ok(second.added.bytes < nextToNothing);
  assert.is(second.predecessor, first.id);
  writeFileSync(join(host.files, 'small-3'), 'other rows');
  const third = await host.save(alice);
  assert.is(third.sources[0]?.newBytes, 'other rows'.length);
  assert.equal(host.warnings, []);
  assert.is((await host.read(third, 'small-3', alice)).toString(), 'other rows');
  assert.is((await host.read(second, 'small-3', alice)).toString(), 'rows of 3');
  assert.equal((await host.verify(true, alice)).damage, []);
});

test('what the host remembers is private, and no more than it needs', async () => {
  const host = new Host();
  await host.save(alice);
  assert.is(host.cache().length, 2, 'a tree and an index');
  for (const path of host.cache()) assert.is(statSync(path).mode & 0o777, 0o600);
  assert.is(statSync(join(host.stateDir, 'cache')).mode & 0o777, 0o700);
  const forgotten = join(dirname(host.cache()[0] ?? ''), 'f'.repeat(64));
  writeFileSync(forgotten, 'of a snapshot that was removed');
  await host.save(alice);
  assert.not.ok(host.cache().includes(forgotten));
});

test('a host that lost its memory stores everything anew and says so; with the key it need not', async () => {
  const host = new Host();
  const first = await host.save(alice);
  rmSync(host.stateDir, { recursive: true });
  const repository = await openRepository(host.repository, host.context, { identities: [alice] });
  const withKey = await saveDirectories(repository, { files: host.files }, host.context, [alice]);
  await repository.close();
  assert.ok(withKey.added.bytes < nextToNothing);
  const remembering = await host.save(alice);
  assert.ok(remembering.added.bytes < nextToNothing, 'the key brought the memory back');
  assert.equal(host.warnings, []);
  rmSync(host.stateDir, { recursive: true, force: true });
  const anew = await host.save(alice);
  assert.is(anew.predecessor, undefined);
  assert.ok(anew.added.bytes > 3_000_000);
  assert.match(
    host.warnings.join('\n'),
    /stored anew: .* for this host no longer knows what is inside, which `dockerctl backup --identity FILE` would/,
  );
  assert.equal(await host.read(first, 'sub/large', alice), large);
  assert.equal(await host.read(anew, 'sub/large', alice), large);
  const again = await host.save(alice);
  assert.ok(again.added.bytes < nextToNothing);
});

test('a snapshot of another host that is taken in does not make this one forget', async () => {
  const [host, other] = [new Host(), new Host()];
  await host.save(alice);
  const { id } = await other.save(alice);
  const archive = await exported(other.repository, id, other.context);
  await imported(host.repository, stream(archive), host.context);
  const next = await host.save(alice);
  assert.ok(next.added.bytes < nextToNothing, `${next.added.bytes}`);
  assert.equal(host.warnings, []);
});

test('a memory that was damaged is worth nothing, and hinders nobody', async () => {
  const host = new Host();
  await host.save(alice);
  for (const path of host.cache()) {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, 80, 90));
  }
  const next = await host.save(alice);
  assert.ok(next.complete);
  assert.equal(await host.read(next, 'sub/large', alice), large);
  assert.equal((await host.verify(true, alice)).damage, []);
});

test('after a change of recipients the new key alone restores the next snapshot', async () => {
  const host = new Host();
  const first = await host.save(alice);
  const second = await host.save(bob);
  assert.match(host.warnings.join('\n'), /stored anew: .* for they are not encrypted to all recipients$/);
  assert.equal(await host.read(second, 'sub/large', bob), large);
  assert.is((await host.read(second, 'small-9', bob)).toString(), 'rows of 9');
  await refusal(host.read(second, 'sub/large', alice));
  await refusal(host.read(first, 'sub/large', bob));
  assert.ok((await host.save(bob)).added.bytes < nextToNothing);
});

test('verify looks into what the keys at hand open, and says of what it checks digests only', async () => {
  const host = new Host();
  await host.save(alice);
  await host.save(bob);
  host.warnings.length = 0;
  const { damage, packs } = await host.verify(true, bob);
  assert.equal(damage, []);
  assert.equal(packs, { read: 1, all: 2 });
  assert.is(host.warnings.length, 1);
  assert.match(host.warnings[0]!, `encrypted to ${encodeRecipient(alice)}: `);
  const pack = host.blobs().findLast((path) => statSync(path).size > 3_000_000)!;
  writeFileSync(pack, readFileSync(pack).subarray(0, 2_000_000));
  assert.is((await host.verify(true, bob)).damage.length, 1);
});

test('a key that is added makes everything new, one that is taken away does not', async () => {
  const host = new Host();
  await host.save(alice);
  const both = await host.save(alice, bob);
  assert.ok(both.added.bytes > 3_000_000);
  assert.equal(await host.read(both, 'sub/large', bob), large);
  const fewer = await host.save(bob);
  assert.ok(fewer.added.bytes < nextToNothing);
  assert.equal(fewer.recipients.length, 1);
});

test('nothing that lies in the clear is shared by a sealed snapshot, nor the other way round', async () => {
  const host = new Host();
  const plain = await host.save();
  const sealed = await host.save(alice);
  assert.ok(sealed.added.bytes > 3_000_000);
  assert.equal(await host.read(plain, 'sub/large'), large);
  await refusal(host.read(sealed, 'sub/large'));
  const again = await host.save();
  assert.is(again.predecessor, plain.id);
  assert.is(again.added.bytes, 0);
});

test('without the key verify checks every digest, with it every chunk and names the files', async () => {
  const host = new Host();
  await host.save(alice);
  assert.equal((await host.verify(false)).damage, []);
  assert.match((await refusal(host.verify(true))).advice ?? '', /--identity/);
  await refusal(host.verify(true, bob));
  const pack = host.blobs().find((path) => statSync(path).size > 3_000_000)!;
  flip(pack, 2_000_000);
  const blind = await host.verify(false);
  assert.is(blind.damage.length, 1);
  assert.is(blind.damage[0]?.snapshots.length, 1);
  assert.equal(blind.damage[0]?.files, []);
  const seeing = await host.verify(true, alice);
  assert.ok(seeing.damage[0]?.files.some((file) => file.startsWith('files:')));
});

test('two copies of a repository, to which a host writes in turn, are both built on for ever', async () => {
  const host = new Host();
  await host.save(alice);
  const copy = join(host.root, 'copy');
  cpSync(host.repository, copy, { recursive: true });
  for (let night = 0; night < 6; night++) {
    writeFileSync(join(host.files, 'sub', 'changed'), `in night ${night}`);
    const repository = await openRepository(night % 2 === 0 ? copy : host.repository, host.context);
    const { added } = await saveDirectories(repository, { files: host.files }, host.context, [alice]);
    const old = (await repository.snapshots()).slice(0, -1).map(({ id }) => id);
    await repository.remove(old, host.context);
    await repository.close();
    assert.ok(added.bytes < large.length, `night ${night}`);
  }
  assert.equal(host.warnings, []);
});

test.run();
