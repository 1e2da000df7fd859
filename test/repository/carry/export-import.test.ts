import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../../src/oci/digest.ts';
import { encodeRecipient, generateIdentity, type Identity } from '../../../src/repository/age/keys.ts';
import type { ImportReport } from '../../../src/repository/carry/import-archive.ts';
import { openExported } from '../../../src/repository/carry/open-exported.ts';
import { openOrCreateRepository, openRepository } from '../../../src/repository/open.ts';
import { manifestLimit } from '../../../src/repository/snapshot/media-types.ts';
import { DamagedError, LockedError, SignatureError } from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import { type Entry, file, hardlink, symlink, tarOf } from '../../archive/fixtures/tar.ts';
import { rejects } from '../../support/rejects.ts';
import { quietContext, saveDirectories } from '../../support/save-directory.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { withRepository } from '../../support/with-repository.ts';
import { exported, imported, makeRepository, stream, wholeSnapshots } from './exported.ts';

const root = temporaryDirectory();
const context = quietContext(join(root, 'state'));
const { directory, snapshots } = await makeRepository(root, context, { snapshots: 2 });
const [first, second] = snapshots as [(typeof snapshots)[0], (typeof snapshots)[0]];
const tar = await exported(directory, second.id, context);
const signingKey = makeSshKey(root, 'host');
const newDirectory = () => join(mkdtempSync(join(root, 'into-')), 'repository');

test('a snapshot that was exported in any format is whole where it is imported, and only it', async () => {
  for (const format of ['tar', 'tar.gz', 'tar.xz', 'tar.zst'] as const) {
    const archive = await exported(directory, second.id, context, format);
    const into = newDirectory();
    const report = await imported(into, stream(archive), context);
    assert.is(report.existed, false);
    assert.equal(report.snapshot, { ...second, started: second.started, ended: second.ended });
    assert.equal(await wholeSnapshots(into, context), [second.id], format);
  }
});

test('the same snapshot gives the same bytes, and those of its tar are an OCI image layout', async () => {
  for (const format of ['tar', 'tar.zst'] as const) {
    const [one, other] = [
      await exported(directory, 'latest', context, format),
      await exported(directory, second.id, context, format),
    ];
    assert.ok(one.equals(other), format);
  }
  const unpacked = mkdtempSync(join(root, 'unpacked-'));
  execFileSync('tar', ['-x', '-C', unpacked], { input: tar });
  assert.equal(readdirSync(unpacked).sort(), ['blobs', 'index.json', 'oci-layout']);
  mkdirSync(join(unpacked, 'tmp'));
  assert.equal(await wholeSnapshots(unpacked, context), [second.id]);
});

test('imported beside an older snapshot, it shares what both need; imported again, nothing is written', async () => {
  const into = newDirectory();
  await imported(into, stream(await exported(directory, first.id, context)), context);
  const report = await imported(into, stream(tar), context);
  assert.ok(report.added.bytes < tar.length / 2, `${report.added.bytes} of ${tar.length}`);
  assert.equal(await wholeSnapshots(into, context), [first.id, second.id]);
  const again = await imported(into, stream(tar), context);
  assert.equal([again.existed, again.added], [true, { blobs: 0, bytes: 0 }]);
  const index = statSync(join(into, 'index.json'), { bigint: true }).mtimeNs;
  await imported(into, stream(tar), context);
  assert.is(statSync(join(into, 'index.json'), { bigint: true }).mtimeNs, index);
});

test('an archive that comes byte by byte is the same archive', async () => {
  const into = newDirectory();
  await imported(into, stream(tar, 1), context);
  assert.equal(await wholeSnapshots(into, context), [second.id]);
});

test('what is encrypted is carried without a key', async () => {
  const sealed = await makeRepository(root, context, { recipients: [generateIdentity()] });
  const into = newDirectory();
  await imported(into, stream(await exported(sealed.directory, 'latest', context)), context);
  assert.equal(await wholeSnapshots(into, context), [sealed.snapshots[0]?.id]);
});

test('what is encrypted is read where it lies with the key; without it the key that opens it is named', async () => {
  const identity = generateIdentity();
  const sealed = await makeRepository(root, context, { recipients: [identity] });
  const path = join(root, 'sealed.tar');
  writeFileSync(path, await exported(sealed.directory, 'latest', context));
  const readWith = async (identities: Identity[]) => {
    const archive = (await openExported(path, identities))!;
    const snapshot = await archive.find('latest');
    return Array.fromAsync(archive.entries(snapshot, 'files')).finally(() => archive.close());
  };
  assert.is((await readWith([identity])).length, 3);
  const error = await rejects(() => readWith([]), SignatureError);
  assert.match(error.message, /^reading snapshot [0-9a-f]{12}: it is encrypted/);
  assert.match(error.advice ?? '', encodeRecipient(identity));
});

test('wherever a byte is flipped, nothing is imported or what is imported is whole', async () => {
  const into = newDirectory();
  await imported(into, stream(await exported(directory, first.id, context)), context);
  let refused = 0;
  for (let at = 0; at < tar.length; at += 151) {
    const spoiled = Buffer.from(tar);
    spoiled[at]! ^= 0x20;
    const target = newDirectory();
    const result = await imported(target, stream(spoiled), context).catch((error: unknown) => error);
    if (result instanceof DamagedError) {
      refused++;
      assert.match(`${result.advice}`, /again|where the file came from/, result.message);
    } else assert.is((result as { existed: boolean }).existed, false, `byte ${at}: ${String(result)}`);
    assert.equal(await idsIn(target), result instanceof DamagedError ? [] : [second.id], `byte ${at}`);
  }
  assert.ok(refused > tar.length / 151 / 2, `${refused} refused`);
});

test('wherever it is cut, nothing is imported, and the whole archive then brings only the rest', async () => {
  // Whoever loses only the last padding and the end mark loses nothing.
  const endOfContent = tar.length - 1024 - 512;
  for (let length = 0; length < endOfContent; length += 1997) {
    const into = newDirectory();
    await rejects(() => imported(into, stream(tar.subarray(0, length)), context), DamagedError);
    assert.equal(await idsIn(into), []);
  }
  const into = newDirectory();
  await rejects(() => imported(into, stream(tar.subarray(0, tar.length - 2048)), context), DamagedError);
  const { added } = await imported(into, stream(tar), context);
  assert.ok(added.blobs <= 2, `${added.blobs}`);
  assert.equal(await wholeSnapshots(into, context), [second.id]);
});

test('of one that is cut, what is whole is taken when that is asked for, and a whole one brings the rest', async () => {
  const packs = await makeRepository(root, context, { size: 300_000, snapshots: 2 });
  const [, newest] = packs.snapshots as [(typeof snapshots)[0], (typeof snapshots)[0]];
  for (const format of ['tar', 'tar.gz', 'tar.zst', 'tar.xz'] as const) {
    const archive = await exported(packs.directory, newest.id, context, format);
    const into = newDirectory();
    const cut = archive.subarray(0, Math.floor(archive.length * 0.75));
    const warnings: string[] = [];
    const noting = { ...context, progress: { ...silent, warn: (text: string) => void warnings.push(text) } };
    const report = await imported(into, stream(cut), noting, {}, true);
    assert.is(new Set(warnings).size, warnings.length, 'nothing is told twice');
    assert.ok(report.missing.blobs >= 1 && report.added.blobs >= 4, `${format}: ${JSON.stringify(report)}`);
    const repository = await openRepository(into, context);
    const [snapshot] = await repository.snapshots();
    const entries = await Array.fromAsync(repository.entries(snapshot!, 'files'));
    assert.equal(
      entries.map(({ path }) => path),
      ['.', 'own', 'shared'],
      format,
    );
    const { damage } = await repository.verify({}, context);
    assert.is(damage.length, report.missing.blobs, format);
    await repository.close();
    const again = await imported(into, stream(archive), context);
    assert.equal([again.existed, again.added, again.missing.blobs], [true, report.missing, 0]);
    assert.equal(await wholeSnapshots(into, context), [newest.id]);
  }
});

/** A repository that wrote its packs anew after a copy of its snapshot was made, and then lost the largest. */
async function lostSinceTheCopy(): Promise<{ directory: string; copy: Buffer }> {
  const directory = newDirectory();
  const files = join(directory, '..', 'files');
  mkdirSync(files);
  writeFileSync(join(files, 'stays'), randomBytes(10_000));
  writeFileSync(join(files, 'goes'), randomBytes(30_000));
  await (await openOrCreateRepository(directory, context)).close();
  const older = await withRepository(directory, context, (repository) =>
    saveDirectories(repository, { files }, context),
  );
  rmSync(join(files, 'goes'));
  await withRepository(directory, context, (repository) => saveDirectories(repository, { files }, context));
  const copy = await exported(directory, 'latest', context);
  const { rewritten } = await withRepository(directory, context, (repository) =>
    repository.remove([older.id], context),
  );
  assert.is(rewritten.packs, 1);
  const blobs = join(directory, 'blobs', 'sha256');
  const size = (name: string) => statSync(join(blobs, name)).size;
  rmSync(join(blobs, readdirSync(blobs).sort((a, b) => size(b) - size(a))[0]!));
  return { directory, copy };
}

test('a copy brings back what was lost, though packs were written anew since it was made', async () => {
  const { directory, copy } = await lostSinceTheCopy();
  const cut = await imported(directory, stream(copy.subarray(0, copy.length - 8000)), context, {}, true);
  assert.is(cut.existed, true);
  assert.is(
    (await withRepository(directory, context, (one) => one.verify({}, context))).damage.length,
    1,
    'no half a copy',
  );
  const { existed, snapshot } = await imported(directory, stream(copy), context);
  assert.is(existed, true);
  assert.equal(await wholeSnapshots(directory, context), [snapshot.id]);
});

test('of a snapshot that lost something who only sends a copy changes nothing', async () => {
  const { directory, copy } = await lostSinceTheCopy();
  const elsewhere = newDirectory();
  const { snapshot } = await imported(elsewhere, stream(copy), context);
  const { manifest } = await withRepository(elsewhere, context, (one) => one.outgoing(snapshot));
  await withRepository(directory, context, async (repository) => {
    const incoming = await repository.beginIncoming(manifest, { keys: {} }, context);
    assert.equal(incoming.lacking, []);
    await incoming.commit();
    assert.is((await repository.verify({}, context)).damage.length, 1);
  });
});

test('of one that is damaged in the middle, all but that is taken', async () => {
  let taken = 0;
  for (let at = 4096; at < tar.length; at += 397) {
    const spoiled = Buffer.from(tar);
    spoiled[at]! ^= 0x20;
    const into = newDirectory();
    const result = await imported(into, stream(spoiled), context, {}, true).catch((error: unknown) => error);
    if (result instanceof DamagedError) {
      assert.equal(await idsIn(into), [], `byte ${at}`);
      continue;
    }
    taken++;
    assert.ok((result as { missing: { blobs: number } }).missing.blobs <= 5, `byte ${at}`);
    assert.equal(await idsIn(into), [second.id], `byte ${at}`);
  }
  assert.ok(taken > tar.length / 397 / 2, `${taken} taken`);
});

/** An archive of a signed snapshot with one bit turned round behind this text; and all that was said of it. */
async function takenOf(text: string, skip: number) {
  const { directory } = await makeRepository(root, context, { signingKey });
  const archive = await exported(directory, 'latest', context);
  archive[archive.indexOf(text) + skip]! ^= 1;
  const warnings: string[] = [];
  const progress = { ...silent, warn: (message: string) => void warnings.push(message) };
  const into = newDirectory();
  const taken = imported(into, stream(archive), { ...context, progress }, {}, true);
  return { into, warnings, report: await taken.catch((error: unknown) => error) };
}

test('one of which only the signature is damaged is taken whole but for that', async () => {
  const { into, warnings, report } = await takenOf('BEGIN SSH SIGNATURE', 60);
  const { missing, provenance } = report as ImportReport;
  assert.equal([missing.blobs, provenance.trust, warnings.length], [1, 'foreign', 1]);
  const { damage } = await withRepository(into, context, (repository) =>
    repository.verify({ readData: true }, context),
  );
  assert.is(damage.length, 1);
});

test('one of which the config is damaged is refused at once, with one message', async () => {
  const { into, warnings, report } = await takenOf('"deployment":"test"', 3);
  assert.instance(report, DamagedError);
  assert.match(
    (report as Error).message,
    /^importing -: nothing of it can be taken without what tells of it: /,
  );
  assert.equal([warnings, readdirSync(join(into, 'blobs', 'sha256'))], [[], []]);
  const manifest = tar.indexOf('"config":{');
  const cut = tar.subarray(0, Math.ceil(manifest / 512) * 512 + 2048);
  const error = await rejects(() => imported(newDirectory(), stream(cut), context, {}, true), DamagedError);
  assert.match(error.message, /nothing of it can be taken without what tells of it/);
});

test('archives that are meant to harm are refused, and leave nothing visible', async () => {
  const entries = await entriesOf(tar);
  const [layout, index, manifest, ...blobs] = entries as [Entry, Entry, Entry, ...Entry[]];
  const other = file(`blobs/sha256/${digestOf('other').slice(7)}`, 'other');
  const hostile: Record<string, Entry[]> = {
    'a path that climbs out': [...entries, file('blobs/sha256/../../../../etc/evil', 'x')],
    'a blob that is no digest': [...entries, file('blobs/sha256/evil', 'x')],
    'a blob that nobody needs': [layout, index, manifest, other, ...blobs],
    'a file elsewhere': [layout, index, manifest, file('etc/passwd', 'x'), ...blobs],
    'a symbolic link for a blob': [
      layout,
      index,
      manifest,
      symlink(blobs[0]!.name, '/etc/shadow'),
      ...blobs.slice(1),
    ],
    'a hard link for a blob': [
      layout,
      index,
      manifest,
      hardlink(blobs[0]!.name, manifest.name),
      ...blobs.slice(1),
    ],
    'a device': [...entries, { name: 'blobs/sha256/dev', type: 'character-device' }],
    'an index that is longer than any': [
      layout,
      file('index.json', `${index.content}${' '.repeat(manifestLimit)}`),
      manifest,
      ...blobs,
    ],
    'no index': [layout, manifest, ...blobs],
    'an index after the blobs': [layout, manifest, ...blobs, index],
    'an index of nothing': [
      layout,
      file('index.json', '{"schemaVersion":2,"manifests":[]}'),
      manifest,
      ...blobs,
    ],
    'an index that is null': [layout, file('index.json', 'null'), manifest, ...blobs],
    'a manifest of something else': [
      layout,
      file('index.json', indexOf('{"schemaVersion":2}')),
      file(`blobs/sha256/${digestOf('{"schemaVersion":2}').slice(7)}`, '{"schemaVersion":2}'),
    ],
    'a blob that is missing': [layout, index, manifest, ...blobs.slice(1)],
    'a blob twice': [layout, index, manifest, blobs[0]!, blobs[0]!, ...blobs.slice(1)],
    'nothing at all': [layout],
  };
  for (const [what, all] of Object.entries(hostile)) {
    const into = newDirectory();
    const archive = await tarOf(all);
    await rejects(() => imported(into, stream(archive), context), DamagedError).catch((error: unknown) => {
      throw new Error(`${what}: ${String(error)}`);
    });
    assert.equal(await idsIn(into), [], what);
    assert.equal(readdirSync(join(into, 'tmp')), [], what);
  }
});

test('who took an archive of images for a snapshot is told the command that loads it', async () => {
  const [layout, ...others] = (await entriesOf(tar)) as [Entry, ...Entry[]];
  const bundle = await tarOf([file('dockerctl/release.json', '{}'), layout, ...others]);
  const error = await rejects(() => imported(newDirectory(), stream(bundle), context), DamagedError);
  assert.match(error.message, 'is not a snapshot that backup export wrote');
  assert.match(error.advice ?? '', 'dockerctl images load');
});

test('a damaged repository exports nothing that looks whole', async () => {
  const {
    directory: spoiled,
    snapshots: [only],
  } = await makeRepository(root, context);
  const blobs = join(spoiled, 'blobs', 'sha256');
  const [largest] = readdirSync(blobs).sort(
    (a, b) => statSync(join(blobs, b)).size - statSync(join(blobs, a)).size,
  );
  const bytes = Buffer.alloc(statSync(join(blobs, largest!)).size);
  writeFileSync(join(blobs, largest!), bytes);
  await rejects(() => exported(spoiled, only!.id, context), DamagedError);
});

test('nobody imports into a repository that somebody writes to', async () => {
  const into = newDirectory();
  await imported(into, stream(await exported(directory, first.id, context)), context);
  const writer = await openRepository(into, context);
  const run = await writer.beginRun({ host: 'h', deployment: 'd', release: undefined }, context);
  await rejects(() => imported(into, stream(tar), context), LockedError);
  await run.abandon();
  await writer.close();
  await imported(into, stream(tar), context);
  assert.equal(await wholeSnapshots(into, context), [first.id, second.id]);
});

async function idsIn(target: string): Promise<string[]> {
  const repository = await openRepository(target, context);
  try {
    return (await repository.snapshots()).map(({ id }) => id);
  } finally {
    await repository.close();
  }
}

/** The entries of a tar, by the program. */
async function entriesOf(archive: Buffer): Promise<Entry[]> {
  const names = execFileSync('tar', ['-t'], { input: archive, encoding: 'utf8' }).trim().split('\n');
  return names.map((name) => file(name, execFileSync('tar', ['-xO', name], { input: archive })));
}

function indexOf(manifest: string): string {
  const descriptor = { mediaType: 'x/y', digest: digestOf(manifest), size: manifest.length };
  return JSON.stringify({ schemaVersion: 2, manifests: [descriptor] });
}

test.run();
