import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { generateIdentity } from '../../../src/repository/age/keys.ts';
import { openOrCreateRepository } from '../../../src/repository/open.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import {
  type Provenance,
  provenanceOf,
  type TrustedKeys,
} from '../../../src/repository/signed/provenance.ts';
import { trySigningKey } from '../../../src/repository/signed/signing-key.ts';
import type { Snapshot } from '../../../src/repository/snapshot/snapshot.ts';
import { DamagedError, SignatureError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { sshKeyFingerprint } from '../../../src/support/ssh-fingerprint.ts';
import { signatureNamespaces, signWithSshKey } from '../../../src/support/ssh-signature.ts';
import { file, tarOf } from '../../archive/fixtures/tar.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext, saveDirectories, saveDirectory } from '../../support/save-directory.ts';
import { makeSshKey, writeAllowedSigners } from '../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { withRepository } from '../../support/with-repository.ts';
import { exported, imported, makeRepository, stream, wholeSnapshots } from '../carry/exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const host = makeSshKey(root, 'host');
const stranger = makeSshKey(root, 'stranger');
const signers = writeAllowedSigners(join(root, 'signers'), [{ key: host, as: 'master.example' }]);
const fingerprint = (await sshKeyFingerprint(`${host}.pub`))!;
const made = await makeRepository(root, context, { snapshots: 2, signingKey: host });
const unsigned = await makeRepository(root, context);
let count = 0;
const newDirectory = () => join(root, `into-${count++}`);

async function openedOrMade<T>(directory: string, use: (repository: Repository) => Promise<T>): Promise<T> {
  await (await openOrCreateRepository(directory, context)).close();
  return withRepository(directory, context, use);
}

function provenance(directory: string, id: string, keys: TrustedKeys): Promise<Provenance> {
  return withRepository(directory, context, async (repository) => {
    return provenanceOf(await repository.signedConfig(await repository.find(id)), keys, 'it');
  });
}

test('a snapshot is signed by its host, which any ssh-keygen can check, and repositories stay whole', async () => {
  const [, { id }] = made.snapshots as [Snapshot, Snapshot];
  assert.equal(await provenance(made.directory, id, { signers }), {
    ...{ trust: 'allowed', principal: 'master.example', fingerprint, problem: undefined },
  });
  assert.is((await provenance(made.directory, id, { own: fingerprint })).trust, 'own');
  const foreign = await provenance(made.directory, id, {});
  assert.equal([foreign.trust, foreign.fingerprint], ['foreign', fingerprint]);
  assert.equal(
    await wholeSnapshots(made.directory, context),
    made.snapshots.map((one) => one.id),
  );
  // As docs/backup-format.md says.
  const blobs = join(made.directory, 'blobs', 'sha256');
  const signed = await withRepository(made.directory, context, (repository) =>
    repository.signedConfig(made.snapshots[1]!),
  );
  const signature = join(blobs, digestOf(signed.signature!).slice(7));
  const verify = ['-Y', 'verify', '-f', signers, '-I', 'master.example', '-n', 'dockerctl-snapshot'];
  execFileSync('ssh-keygen', [...verify, '-s', signature], { input: readFileSync(join(blobs, id.slice(7))) });
});

test('one that is not signed is foreign, and refused where signers are named', async () => {
  const { id } = unsigned.snapshots[0]!;
  assert.equal(await provenance(unsigned.directory, id, {}), {
    ...{ trust: 'foreign', principal: undefined, fingerprint: undefined, problem: 'not signed' },
  });
  const { trust, problem } = await provenance(unsigned.directory, id, { signers });
  assert.is(trust, 'refused');
  assert.match(problem ?? '', 'it is not signed');
});

test('the signature goes wherever the snapshot goes, sealed or not', async () => {
  const sealed = await makeRepository(root, context, { recipients: [generateIdentity()], signingKey: host });
  for (const { directory } of [made, sealed]) {
    const into = newDirectory();
    const report = await imported(into, stream(await exported(directory, 'latest', context)), context, {
      signers,
    });
    assert.is(report.provenance.principal, 'master.example');
    assert.is((await provenance(into, 'latest', { signers })).trust, 'allowed');
  }
});

test('manifests that are issued anew keep the signature of the config', async () => {
  const directory = newDirectory();
  const files = temporaryDirectory();
  const repository = await openOrCreateRepository(directory, context);
  writeFileSync(join(files, 'stays'), randomBytes(1000));
  writeFileSync(join(files, 'goes'), randomBytes(300_000));
  const first = await saveDirectories(repository, { files }, context, [], host);
  rmSync(join(files, 'goes'));
  await saveDirectories(repository, { files }, context, [], host);
  const { rewritten } = await repository.remove([first.id], context);
  assert.is(rewritten.packs, 1);
  await repository.repair(context);
  await repository.close();
  assert.is((await provenance(directory, 'latest', { signers })).trust, 'allowed');
});

/** A repository whose one snapshot has another signature, or another config under the same, its digests all right. */
async function forged(change: (parts: { config: Buffer; signature: string }) => Promise<string | Buffer>) {
  const { directory } = await makeRepository(root, context, { signingKey: host });
  const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  const blob = (digest: string) => join(directory, 'blobs', 'sha256', digest.slice(7));
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0].digest), 'utf8'));
  const layer = manifest.layers.find(({ mediaType }: { mediaType: string }) => mediaType.endsWith('+ssh'));
  const config = readFileSync(blob(manifest.config.digest));
  const changed = await change({ config, signature: readFileSync(blob(layer.digest), 'utf8') });
  const put = (descriptor: { digest: string; size: number }, bytes: string | Buffer) => {
    rmSync(blob(descriptor.digest));
    descriptor.digest = digestOf(bytes);
    descriptor.size = bytes.length;
    writeFileSync(blob(descriptor.digest), bytes);
  };
  put(Buffer.isBuffer(changed) ? manifest.config : layer, changed);
  put(index.manifests[0], JSON.stringify(manifest));
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  return directory;
}

const ofAnother = async () =>
  withRepository(made.directory, context, async (repository) => {
    const { signature } = await repository.signedConfig(made.snapshots[0]!);
    return Buffer.from(signature!).toString();
  });
const forgeries: Record<string, Parameters<typeof forged>[0]> = {
  'the signature of another snapshot': ofAnother,
  'a signature for releases': ({ config }) => signWithSshKey(config, host, signatureNamespaces.release),
  'an altered config': async ({ config }) => Buffer.from(config.toString().replace('"here"', '"hare"')),
  'an altered signature': async ({ signature }) =>
    signature.replace(/(?<=^.{80})./s, (letter) => (letter === 'A' ? 'B' : 'A')),
  'no signature at all': async () => 'signed, the king\n',
  'an empty signature': async () => '',
};

for (const [what, change] of Object.entries(forgeries)) {
  test(`${what} is refused, with signers and without, and nothing of the snapshot is taken in`, async () => {
    const directory = await forged(change);
    const archive = await exported(directory, 'latest', context);
    for (const keys of [{ signers }, {}]) {
      assert.is((await provenance(directory, 'latest', keys)).trust, 'refused');
      const into = newDirectory();
      await rejects(() => imported(into, stream(archive), context, keys), SignatureError);
      assert.equal(readdirSync(join(into, 'blobs', 'sha256')), []);
      assert.equal(readdirSync(join(into, 'tmp')), []);
    }
  });
}

test('a signature by somebody else is refused where signers are named, and shown where none are', async () => {
  const directory = await forged(({ config }) =>
    signWithSshKey(config, stranger, signatureNamespaces.snapshot),
  );
  assert.is((await provenance(directory, 'latest', { signers })).trust, 'refused');
  const archive = await exported(directory, 'latest', context);
  await rejects(() => imported(newDirectory(), stream(archive), context, { signers }), SignatureError);
  const shown = await imported(newDirectory(), stream(archive), context, { own: fingerprint });
  assert.equal(
    [shown.provenance.trust, shown.provenance.fingerprint],
    ['foreign', await sshKeyFingerprint(`${stranger}.pub`)],
  );
});

test('a key that is allowed for releases only does not vouch for snapshots', async () => {
  const narrow = writeAllowedSigners(join(root, 'narrow'), [
    { key: host, as: 'master.example namespaces="dockerctl"' },
  ]);
  assert.is((await provenance(made.directory, 'latest', { signers: narrow })).trust, 'refused');
});

test('a signature that is lost does not lose the snapshot, and repair goes on without it', async () => {
  const { directory, snapshots } = await makeRepository(root, context, { signingKey: host });
  const blobs = join(directory, 'blobs', 'sha256');
  const signature = readdirSync(blobs).find((name) => readFileSync(join(blobs, name)).includes('BEGIN SSH'));
  writeFileSync(join(blobs, signature!), 'spoilt');
  const found = await provenance(directory, 'latest', {});
  assert.is(found.trust, 'foreign');
  assert.match(found.problem ?? '', signature!);
  assert.is((await provenance(directory, 'latest', { signers })).trust, 'refused');
  const { mended, spoiled } = await withRepository(directory, context, (repository) =>
    repository.repair(context),
  );
  assert.equal([mended, spoiled], [snapshots.map(({ id }) => id), []]);
  assert.is((await wholeSnapshots(directory, context)).length, 1);
  assert.is((await provenance(directory, 'latest', {})).problem, 'not signed');
});

test('repair finds the signature of a snapshot whose manifest is lost', async () => {
  const { directory, snapshots } = await makeRepository(root, context, { signingKey: host });
  const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  rmSync(join(directory, 'blobs', 'sha256', index.manifests[0].digest.slice(7)));
  const { mended } = await withRepository(directory, context, (repository) => repository.repair(context));
  assert.equal(
    mended,
    snapshots.map(({ id }) => id),
  );
  assert.is((await provenance(directory, 'latest', { signers })).trust, 'allowed');
});

test('a snapshot that came first without its signature gets it from whoever brings it', async () => {
  const into = newDirectory();
  const { config, manifest, entries } = await entriesOf(await exported(made.directory, 'latest', context));
  const bare = { ...manifest, layers: manifest.layers.filter((layer) => !layer.mediaType.endsWith('+ssh')) };
  const text = JSON.stringify(bare);
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: 'x/y', digest: digestOf(text), size: text.length }],
  };
  const stripped = await tarOf([
    file('index.json', JSON.stringify(index)),
    file(`blobs/sha256/${digestOf(text).slice(7)}`, text),
    ...[config, ...bare.layers].map(({ digest }) =>
      file(`blobs/sha256/${digest.slice(7)}`, entries.get(digest)!),
    ),
  ]);
  await rejects(() => imported(into, stream(stripped), context, { signers }), SignatureError);
  assert.is((await imported(into, stream(stripped), context)).provenance.trust, 'foreign');
  const report = await imported(into, stream(await exported(made.directory, 'latest', context)), context);
  assert.equal([report.existed, report.added.blobs], [true, 1]);
  assert.is((await provenance(into, 'latest', { signers })).trust, 'allowed');
  assert.is((await wholeSnapshots(into, context)).length, 1);
  await imported(into, stream(stripped), context);
  assert.is((await provenance(into, 'latest', { signers })).trust, 'allowed', 'it is not taken away again');
});

test('content that comes before what tells whose it is is refused', async () => {
  const archive = await exported(made.directory, 'latest', context);
  const { config, manifest, entries, manifestBytes } = await entriesOf(archive);
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: 'x/y', digest: digestOf(manifestBytes), size: manifestBytes.length }],
  };
  const late = await tarOf([
    file('index.json', JSON.stringify(index)),
    file(`blobs/sha256/${digestOf(manifestBytes).slice(7)}`, manifestBytes),
    ...[config, ...manifest.layers].map(({ digest }) =>
      file(`blobs/sha256/${digest.slice(7)}`, entries.get(digest)!),
    ),
  ]);
  const into = newDirectory();
  await rejects(() => imported(into, stream(late), context), DamagedError);
  assert.equal(readdirSync(join(into, 'blobs', 'sha256')), []);
});

test('a run that cannot sign commits nothing', async () => {
  const { directory, snapshots } = await makeRepository(root, context);
  await withRepository(directory, context, async (repository) => {
    const gone = { file: join(root, 'no-key'), fingerprint };
    const options = { host: 'here', deployment: 'test', release: '1.0', signingKey: gone };
    const run = await repository.beginRun(options, context);
    await saveDirectory(run, 'state', root, context);
    await rejects(() => run.commit(), SignatureError);
  });
  assert.equal(await wholeSnapshots(directory, context), [snapshots[0]!.id]);
});

interface Named {
  digest: `sha256:${string}`;
  mediaType: string;
}

/** What is in an exported archive, by digest. */
async function entriesOf(archive: Buffer) {
  const entries = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const name = archive.toString('latin1', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8);
    const content = archive.subarray(at + 512, at + 512 + size);
    entries.set(name.startsWith('blobs/') ? digestOf(content) : name, content);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  const index = JSON.parse(entries.get('index.json')!.toString());
  const manifestBytes = entries.get(index.manifests[0].digest)!;
  const manifest = JSON.parse(manifestBytes.toString()) as { config: Named; layers: Named[] };
  return { config: manifest.config, manifest, manifestBytes, entries };
}

/**
 * A snapshot by somebody who can write into the repository: its list of files is the last one's, with content of the
 * writer's.
 */
async function forgeSuccessor(directory: string, content: string, signingKey?: string): Promise<void> {
  await withRepository(directory, context, async (repository) => {
    const key = signingKey === undefined ? undefined : await trySigningKey(signingKey);
    const options = { host: 'here', deployment: 'test', release: '1.0', signingKey: key };
    const run = await repository.beginRun(options, context);
    const writer = await run.beginSource({ name: 'files', title: 'Files', kind: 'paths', origin: {} });
    for await (const segment of writer.previous()) {
      for (const { entry } of segment) {
        if (entry?.type !== 'file') await writer.add(entry!);
        else {
          const { chunks } = await writer.storeStream(stringStream(content));
          await writer.add({ ...entry, chunks });
        }
      }
    }
    await writer.end();
    await run.commit();
  });
}

async function* stringStream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

for (const [whose, forger] of Object.entries({ nobody: undefined, 'a stranger': stranger })) {
  test(`what is signed takes nothing over from a snapshot signed by ${whose}`, async () => {
    const directory = newDirectory();
    const files = temporaryDirectory();
    writeFileSync(join(files, 'sudoers'), 'root only');
    const warnings: string[] = [];
    const noting = { ...context, progress: { ...silent, warn: (text: string) => warnings.push(text) } };
    const save = async () => {
      const repository = await openOrCreateRepository(directory, noting);
      const saved = await saveDirectories(repository, { files }, noting, [], host);
      const entries = await Array.fromAsync(repository.entries(saved, 'files'));
      const entry = entries.find(({ path }) => path === 'sudoers')!;
      const content = Buffer.concat(await Array.fromAsync(repository.content(saved, entry))).toString();
      await repository.close();
      return { saved, content };
    };
    const { saved: first } = await save();
    utimesSync(join(files, 'sudoers'), 1000, 1000);
    await save();
    await forgeSuccessor(directory, 'all users', forger);
    warnings.length = 0;
    const { saved, content } = await save();
    assert.is(content, 'root only');
    assert.is.not(saved.predecessor, first.id);
    assert.match(warnings.join('\n'), /snapshot [0-9a-f]{12} .*not built on/);
    assert.is((await provenance(directory, saved.id, { signers })).trust, 'allowed');
  });
}

test('who signs with one key stores content once, with another key once more, and it goes with its snapshots', async () => {
  const directory = newDirectory();
  const files = temporaryDirectory();
  writeFileSync(join(files, 'same'), randomBytes(100_000));
  const save = (deployment: string, key: string) =>
    openedOrMade(directory, async (repository) => {
      const signingKey = await trySigningKey(key);
      const run = await repository.beginRun(
        { host: 'here', deployment, release: '1.0', signingKey },
        context,
      );
      await saveDirectory(run, 'files', files, context);
      return run.commit();
    });
  const packs = () =>
    readdirSync(join(directory, 'blobs', 'sha256')).filter(
      (name) => statSync(join(directory, 'blobs', 'sha256', name)).size > 100_000,
    ).length;
  const first = await save('one', host);
  const second = await save('two', host);
  assert.ok(second.added.bytes < 10_000, 'another deployment of the same host');
  writeFileSync(join(files, 'more'), 'lest the pack is the same');
  const third = await save('one', stranger);
  assert.ok(third.added.bytes > 100_000);
  assert.is(packs(), 2);
  await withRepository(directory, context, (repository) => repository.remove([first.id, second.id], context));
  assert.is(packs(), 1);
  assert.equal(await wholeSnapshots(directory, context), [third.id]);
});

test.run();
