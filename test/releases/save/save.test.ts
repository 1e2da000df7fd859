import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openVolumes } from '../../../src/archive/volumes/reader.ts';
import { groupVolumes, type VolumeSet } from '../../../src/archive/volumes/set.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { type SavedBundle, type SaveRequest, saveImages } from '../../../src/releases/save/save.ts';
import type { Context } from '../../../src/support/context.ts';
import {
  DamagedError,
  FailedError,
  InterruptedError,
  NotFoundError,
  SignatureError,
} from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import {
  containerdStore,
  docker25,
  docker110,
  docker113,
  podmanDockerArchive,
} from '../../archive/fixtures/eras.ts';
import { fixtureImage } from '../../archive/fixtures/images.ts';
import { failure } from '../../support/rejects.ts';
import { makeSshKey, writeAllowedSigners } from '../../support/ssh-keys.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { engineOfEra } from '../era-engine.ts';

const root = temporaryDirectory();
const eras = { docker110, docker113, docker25, containerdStore, podmanDockerArchive };
const noise = Array.from({ length: 4000 }, (_, i) => digestOf(`noise ${i}`)).join('\n');

const web = await fixtureImage({
  references: ['shop/web:1.4', 'shop/web:latest'],
  contents: ['base', noise, 'web'],
});
const db = await fixtureImage({
  references: ['shop/db:1.4'],
  contents: ['base', noise, `${noise}db`, 'base'],
});
const oldWeb = await fixtureImage({ references: ['shop/web:1.3'], contents: ['base', noise, 'old web'] });
const all = [web, db, oldWeb];
const release14 = ['shop/web:1.4', 'shop/web:latest', 'shop/db:1.4'];

let made = 0;

function newDirectory(): string {
  made += 1;
  const directory = join(root, String(made));
  mkdirSync(directory);
  return directory;
}

function context(signal = new AbortController().signal): Context {
  return { progress: silent, signal, now: () => new Date(0), stateDir: root };
}

async function save(
  engine: Engine,
  request: Partial<SaveRequest> = {},
): Promise<SavedBundle & { path: string; bytes: Buffer }> {
  const path = join(newDirectory(), 'shop.tar');
  const defaults = { images: release14, format: 'tar', tool: 'dockerctl test' } as const;
  const target = { kind: 'file', path } as const;
  const saved = await saveImages(engine, { ...defaults, target, ...request }, context());
  return { ...saved, path, bytes: saved.files[0] === path ? readFileSync(path) : Buffer.alloc(0) };
}

function namesIn(tar: string): string[] {
  return execFileSync('tar', ['-tf', tar], { encoding: 'utf8' }).trim().split('\n');
}

test('whatever era the engine is of, the bundle has the same bytes', async () => {
  const bundles = [];
  for (const write of Object.values(eras)) bundles.push(await save(engineOfEra(write, all)));
  for (const { bytes } of bundles) assert.ok(bytes.equals(bundles[0]!.bytes));
  const backwards = { images: release14.toReversed() };
  assert.ok((await save(engineOfEra(docker25, all.toReversed()), backwards)).bytes.equals(bundles[0]!.bytes));
});

for (const [format, program] of [
  ['tar.gz', 'gzip'],
  ['tar.zst', 'zstd'],
  ['tar.xz', 'xz'],
] as const) {
  test(`as ${format} it is the same tar, compressed, and the same bytes again`, async () => {
    const plain = await save(engineOfEra(docker113, all));
    const packed = await save(engineOfEra(docker113, all), { format });
    const again = await save(engineOfEra(docker25, all), { format });
    assert.ok(packed.bytes.equals(again.bytes));
    assert.ok(execFileSync(program, ['-dc', packed.path], { maxBuffer: 1 << 28 }).equals(plain.bytes));
    assert.is(packed.size, packed.bytes.length);
  });
}

test('the release document comes first and names everything; every blob is what its name says', async () => {
  const { path, document } = await save(engineOfEra(docker113, all), { release: '1.4' });
  const names = namesIn(path);
  assert.equal(names.slice(0, 4), ['dockerctl/release.json', 'oci-layout', 'index.json', 'manifest.json']);
  const blobs = names.slice(4);
  assert.is(new Set(blobs).size, blobs.length);
  for (const name of blobs) {
    const content = execFileSync('tar', ['-xOf', path, name], { maxBuffer: 1 << 28 });
    assert.is(`sha256:${name.replace('blobs/sha256/', '')}`, digestOf(content));
  }
  const written = JSON.parse(
    execFileSync('tar', ['-xOf', path, 'dockerctl/release.json'], { encoding: 'utf8' }),
  );
  assert.equal(written, JSON.parse(JSON.stringify({ schema: 1, ...document })));
  assert.is(written.release, '1.4');
  assert.equal(
    written.images.map((image: { references: string[] }) => image.references),
    [['shop/db:1.4'], ['shop/web:1.4', 'shop/web:latest']],
  );
  const named = document.images.flatMap(({ config, manifest, layers }) => [config, manifest, ...layers]);
  assert.equal(new Set(named.map(({ digest }) => `blobs/sha256/${digest.slice(7)}`)), new Set(blobs));
});

test('a delta leaves out what the receiver has below the same layers, and names its base', async () => {
  const base = { release: '1.3', images: [{ layers: oldWeb.layers.map(({ diffId }) => diffId) }] };
  const delta = { base, release: '1.4' };
  const bundles = [];
  for (const write of Object.values(eras)) bundles.push(await save(engineOfEra(write, all), delta));
  for (const { bytes } of bundles) assert.ok(bytes.equals(bundles[0]!.bytes));
  const { document, path } = bundles[0]!;
  const shared = web.layers.slice(0, 2).map(({ diffId }) => diffId);
  assert.equal(document.base, { release: '1.3', layers: shared.toSorted() });
  for (const { diffId } of [...web.layers, ...db.layers]) {
    assert.is(namesIn(path).includes(`blobs/sha256/${diffId.slice(7)}`), !shared.includes(diffId));
  }
  for (const format of ['tar.xz', 'tar.zst'] as const) {
    const packed = await save(engineOfEra(docker113, all), { ...delta, format });
    const tar = execFileSync(format === 'tar.xz' ? 'xz' : 'zstd', ['-dc', packed.path], {
      maxBuffer: 1 << 28,
    });
    assert.ok(tar.equals(bundles[0]!.bytes));
  }
});

test('a signed bundle carries a signature over the very bytes of its release document', async () => {
  const key = makeSshKey(root, 'vendor');
  const signers = writeAllowedSigners(join(root, 'signers'), [{ key, as: 'release@vendor.example' }]);
  const { path, signed } = await save(engineOfEra(docker25, all), { signingKey: key });
  assert.is(signed, true);
  assert.equal(namesIn(path).slice(0, 2), ['dockerctl/release.json', 'dockerctl/release.json.sig']);
  const directory = newDirectory();
  execFileSync('tar', ['-xf', path, '-C', directory, 'dockerctl']);
  const verify = ['-Y', 'verify', '-f', signers, '-I', 'release@vendor.example', '-n', 'dockerctl'];
  const input = readFileSync(join(directory, 'dockerctl/release.json'));
  execFileSync('ssh-keygen', [...verify, '-s', join(directory, 'dockerctl/release.json.sig')], { input });
});

test('a key that is not there is found out before the engine is asked for anything', async () => {
  const engine = engineOfEra(docker25, all);
  let asked = 0;
  engine.images.save = () => {
    asked += 1;
    throw new Error('too early');
  };
  const error = await failure(save(engine, { signingKey: join(root, 'nowhere') }));
  assert.instance(error, SignatureError);
  assert.is(asked, 0);
});

test('attachments travel as blobs and are listed with their kind', async () => {
  const directory = newDirectory();
  const spdx = join(directory, 'shop.spdx.json');
  const notes = join(directory, 'notes.txt');
  writeFileSync(spdx, '{"spdxVersion": "SPDX-2.3"}');
  writeFileSync(notes, 'read me');
  const { document, path } = await save(engineOfEra(docker25, all), { attachments: [spdx, notes] });
  assert.equal(
    document.attachments.map(({ name, mediaType }) => [name, mediaType]),
    [
      ['notes.txt', 'application/octet-stream'],
      ['shop.spdx.json', 'application/spdx+json'],
    ],
  );
  for (const { digest } of document.attachments)
    assert.ok(namesIn(path).includes(`blobs/sha256/${digest.slice(7)}`));
});

test('a bundle can go to a stream, or into volumes', async () => {
  const whole = (await save(engineOfEra(docker25, all))).bytes;
  const stream = new PassThrough();
  const [received, saved] = await Promise.all([
    buffer(stream),
    save(engineOfEra(docker25, all), { target: { kind: 'stream', stream } }).then((result) => {
      stream.end();
      return result;
    }),
  ]);
  assert.ok(received.equals(whole));
  assert.equal(saved.files, []);

  const path = join(newDirectory(), 'shop.tar');
  const { files } = await save(engineOfEra(docker25, all), {
    target: { kind: 'volumes', path, limit: 200_000 },
  });
  assert.is(files.length, Math.ceil(whole.length / (196_608 - 4096)));
  const opened = await openVolumes((await groupVolumes(files.toReversed()))[0] as VolumeSet);
  assert.ok(Buffer.concat(await Array.fromAsync(opened.stream())).equals(whole));
  await opened.close();
});

test('an image that the engine does not have is named, and nothing is written', async () => {
  const path = join(newDirectory(), 'shop.tar');
  const request = { images: ['shop/web:1.4', 'shop/nowhere:1'], target: { kind: 'file', path } as const };
  const error = await failure(save(engineOfEra(docker25, all), request));
  assert.instance(error, NotFoundError);
  assert.match(error.message, 'shop/nowhere:1');
  assert.equal(readdirSync(join(path, '..')), []);
});

test('a tag that no longer is what the catalog says is not saved under its release', async () => {
  const record = {
    release: '1.4',
    loaded: '2026-01-01T00:00:00Z',
    images: [
      {
        references: ['shop/web:1.4'],
        platform: web.platform,
        config: oldWeb.config.digest,
        manifest: digestOf(''),
        layers: [],
      },
    ],
  };
  const error = await failure(save(engineOfEra(docker25, all), { record }));
  assert.instance(error, FailedError);
  assert.match(error.message, 'shop/web:1.4 is not the image of that release');
  await save(engineOfEra(docker25, all), { record, images: [...release14, 'shop/web:1.3'] });
});

test('a stream that was cut, or whose layers are not what its configs say, leaves nothing', async () => {
  const lying = {
    ...web,
    layers: web.layers.map((layer, i) => (i === 1 ? { ...layer, tar: db.layers[2]!.tar } : layer)),
  };
  for (const engine of [
    engineOfEra(docker113, all, { cut: 3000 }),
    engineOfEra(docker25, all, { cut: 200_000 }),
    engineOfEra(docker113, [lying, db]),
    engineOfEra(podmanDockerArchive, [lying, db]),
  ]) {
    const path = join(newDirectory(), 'shop.tar');
    const error = await failure(save(engine, { target: { kind: 'file', path } }));
    assert.instance(error, DamagedError, String(error));
    assert.equal(readdirSync(join(path, '..')), []);
  }
});

test('an interruption leaves what was there before', async () => {
  const path = join(newDirectory(), 'shop.tar');
  writeFileSync(path, 'the last one');
  const controller = new AbortController();
  const engine = engineOfEra(docker25, all);
  const request = { images: release14, format: 'tar', tool: 'test', target: { kind: 'file', path } } as const;
  const progress = {
    ...silent,
    begin: (title: string) => {
      if (title.startsWith('writing')) controller.abort();
      return silent.begin(title);
    },
  };
  const error = await failure(saveImages(engine, request, { ...context(controller.signal), progress }));
  assert.instance(error, InterruptedError);
  assert.equal(readdirSync(join(path, '..')), ['shop.tar']);
  assert.is(readFileSync(path, 'utf8'), 'the last one');
});

test.run();
