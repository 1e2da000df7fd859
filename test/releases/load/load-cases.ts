import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { codecOf } from '../../../src/archive/codec.ts';
import type { BundleFormat } from '../../../src/archive/compress/block-format.ts';
import { tarFileHeader } from '../../../src/archive/tar/writer.ts';
import type { EngineInfo } from '../../../src/engine/engine.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { type Catalog, openCatalog } from '../../../src/releases/catalog/catalog.ts';
import { type LoadOptions, type LoadReport, loadImages } from '../../../src/releases/load/load.ts';
import { type SaveRequest, saveImages } from '../../../src/releases/save/save.ts';
import type { Context } from '../../../src/support/context.ts';
import {
  DamagedError,
  FailedError,
  InterruptedError,
  NoSpaceError,
  NotFoundError,
} from '../../../src/support/errors.ts';
import { silent } from '../../../src/support/progress.ts';
import {
  containerdStore,
  docker25,
  docker113,
  eras,
  ociArchive,
  podmanDockerArchive,
  zstdOciArchive,
} from '../../archive/fixtures/eras.ts';
import {
  type FixtureImage,
  type FixtureOptions,
  fixtureImage,
  withLayers,
} from '../../archive/fixtures/images.ts';
import { type Entry, file, tarOf } from '../../archive/fixtures/tar.ts';
import { throwawayEngine } from '../../support/engine.ts';
import { rejects } from '../../support/rejects.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { engineOfEra } from '../era-engine.ts';

/** Everything that loading promises, on an engine with that image store. */
export async function testLoading(test: Test, store: EngineInfo['store']): Promise<void> {
  // An engine of its own: what it holds is compared before and after, and others would come between.
  const { engine, stop } = await throwawayEngine(`load-${store}`, { store });
  test.after(stop);
  const directory = temporaryDirectory();

  let made = 0;

  /** A host that has loaded nothing yet. */
  function host({ signal = new AbortController().signal }: { signal?: AbortSignal } = {}) {
    made += 1;
    const stateDir = join(directory, `state-${made}`);
    mkdirSync(stateDir);
    const warnings: string[] = [];
    const progress = { ...silent, warn: (message: string) => void warnings.push(message) };
    const context: Context = { progress, signal, now: () => new Date('2026-01-01'), stateDir };
    const catalog = openCatalog(stateDir);
    const load = (input: string | Buffer, options: Partial<LoadOptions> = {}) => {
      const inputs = [typeof input === 'string' ? input : { name: '-', stream: Readable.from([input]) }];
      return loadImages(inputs, { engine, catalog, ...options }, context);
    };
    return { catalog, load, warnings };
  }

  /** Names and contents of its own, so that no other test's layers are there already. */
  async function newImage({
    tag = '1.4',
    ...options
  }: FixtureOptions & { tag?: string } = {}): Promise<FixtureImage> {
    made += 1;
    const name = `dockerctl-load-test/${process.pid}-${made}:${tag}`;
    const contents = [`${name} lowest`, `${name} top`, `${name} lowest`];
    return await fixtureImage({ references: [name], contents, ...options });
  }

  async function archiveOf(entries: readonly Entry[]): Promise<{ path: string; bytes: Buffer }> {
    made += 1;
    const path = join(directory, `${made}.tar`);
    const bytes = await tarOf(entries);
    writeFileSync(path, bytes);
    return { path, bytes };
  }

  async function bundleOf(image: FixtureImage, format: BundleFormat): Promise<Buffer> {
    const stream = new PassThrough();
    const bytes = buffer(stream);
    const { references } = image;
    const context = { progress: silent, signal: new AbortController().signal, now: () => new Date(0) };
    const request: SaveRequest = {
      images: references,
      format,
      target: { kind: 'stream', stream },
      tool: 'test',
    };
    await saveImages(engineOfEra(docker25, [image]), request, { ...context, stateDir: directory });
    stream.end();
    return await bytes;
  }

  async function assertHeld(image: FixtureImage): Promise<void> {
    const held = await engine.images.inspect(image.references[0]!);
    const diffIds = image.layers.map(({ diffId }) => diffId);
    assert.equal(held?.diffIds, diffIds);
  }

  async function imagesHere(): Promise<string[]> {
    const images = await engine.images.list();
    return images.map(({ id, tags }) => `${id} ${tags.sort()}`).sort();
  }

  async function removeLoaded({ archives }: LoadReport): Promise<void> {
    const references = archives.flatMap(({ images }) => images.flatMap((image) => image.references));
    for (const reference of references) await engine.images.remove(reference);
  }

  // What an engine never sees need not be shown on both.
  const isClassic = store === 'classic';

  for (const [era, write] of Object.entries(eras)) {
    test(`${era}: loaded from a file and from a pipe, checked and catalogued`, async () => {
      for (const how of ['file', 'pipe'] as const) {
        const { load, catalog } = host();
        const image = await newImage();
        const { path, bytes } = await archiveOf(write([image]));
        const report = await load(how === 'file' ? path : bytes);
        assert.is(report.archives[0]?.release, '1.4');
        assert.is(report.archives[0]?.images[0]?.present, false);
        await assertHeld(image);
        const [record] = await catalog.releases();
        assert.equal(record?.images[0]?.references, image.references);
        assert.equal(
          record?.images[0]?.layers.map(({ diffId }) => diffId),
          image.layers.map(({ diffId }) => diffId),
        );
      }
    });

    if (!isClassic && era !== 'docker save of a containerd store') continue;
    test(`${era}: one flipped bit in any layer, config or manifest keeps all of it out`, async () => {
      const image = await newImage();
      const entries = write([image]);
      const before = await imagesHere();
      for (const [i, entry] of entries.entries()) {
        const content = Buffer.from(entry.content ?? '');
        if (content.length < 10 || isUnprotected(era, entry.name)) continue;
        const { path, bytes } = await archiveOf(entries.with(i, { ...entry, content: flipped(content) }));
        for (const input of [i % 2 === 0 ? path : bytes]) {
          const { load, catalog } = host();
          const outcome = await load(input).catch((error: unknown) => error);
          if (outcome instanceof Error) {
            assert.instance(outcome, DamagedError, `${entry.name}: ${outcome}`);
            assert.equal(await catalog.releases(), []);
          } else {
            // A flipped bit in a document may make another name for the image: then nothing is damaged.
            assert.match(entry.name, /json$/);
            await removeLoaded(outcome as LoadReport);
          }
          assert.equal(await imagesHere(), before, entry.name);
        }
      }
    });
  }

  /** Before 1.10 nothing had a digest; what was kept for such old readers since then, nobody reads. */
  function isUnprotected(era: string, name: string): boolean {
    return (
      /VERSION$|^repositories$|^oci-layout$/.test(name) ||
      (era.includes('up to 1.9') && name.endsWith('layer.tar'))
    );
  }

  /** Where there should be nothing, in a file or in the gzip of it. */
  function withAByteWhereNoneIs(entry: Entry): Entry {
    const isLayer = /layer\.tar$|sha256\/.+/.test(entry.name) && entry.type === undefined;
    const content = Buffer.from(entry.content ?? '');
    const isEmpty = content.length === 0 || content.equals(gzipSync(content.subarray(0, 0), { level: 1 }));
    return isLayer && isEmpty ? { ...entry, content: Buffer.concat([content, Buffer.from('x')]) } : entry;
  }

  /** In the middle, where a layer has its file's content and JSON a digest or a name. */
  function flipped(content: Buffer): Buffer {
    const copy = Buffer.from(content);
    copy[copy.length >> 1] = copy[copy.length >> 1]! ^ 1;
    return copy;
  }

  const compressions: Record<string, (tar: Buffer) => Buffer> = {
    gzip: (tar) => gzipSync(tar),
    'gzip of several members': (tar) =>
      Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
    zstd: (tar) => zstdCompressSync(tar),
    'zstd behind a skippable frame': (tar) =>
      Buffer.concat([Buffer.from('502a4d1803000000616263', 'hex'), zstdCompressSync(tar)]),
    xz: (tar) => execFileSync('xz', ['-c'], { input: tar }),
    'xz in blocks': (tar) => execFileSync('xz', ['-c', '-T2', '--block-size=4096'], { input: tar }),
    'xz of several streams with padding': (tar) =>
      Buffer.concat([
        execFileSync('xz', ['-c'], { input: tar.subarray(0, 3000) }),
        Buffer.alloc(8),
        execFileSync('xz', ['-c'], { input: tar.subarray(3000) }),
        Buffer.alloc(4),
      ]),
    bzip2: (tar) => execFileSync('bzip2', ['-c'], { input: tar }),
  };

  for (const [name, compress] of Object.entries(compressions)) {
    if (!isClassic && name !== 'xz in blocks') continue;
    test(`${name}: loaded, from a file and from a pipe, and refused when it is cut`, async () => {
      for (const how of ['file', 'pipe'] as const) {
        const image = await newImage();
        const { path, bytes } = await archiveOf(docker113([image]));
        const compressed = compress(bytes);
        const before = await imagesHere();
        for (const cut of [compressed.length >> 1, compressed.length - 20]) {
          writeFileSync(path, compressed.subarray(0, cut));
          const input = how === 'file' ? path : compressed.subarray(0, cut);
          await rejects(() => host().load(input), DamagedError);
          assert.equal(await imagesHere(), before);
        }
        writeFileSync(path, compressed);
        await host().load(how === 'file' ? path : compressed);
        await assertHeld(image);
      }
    });
  }

  const bzip2 = (tar: Buffer) => execFileSync('bzip2', ['-c'], { input: tar });
  for (const [name, compress] of Object.entries({ ...compressions, bzip2 })) {
    // The containerd store gets bzip2 the way of xz, and gzip layers in every archive of its own era.
    if (!(isClassic ? /^(gzip|zstd|xz|bzip2)$/ : /^(zstd|xz)$/).test(name)) continue;
    test(`layers that are compressed with ${name}: loaded, from a file and from a pipe, and refused when damaged`, async () => {
      for (const how of ['file', 'pipe'] as const) {
        const image = await newImage();
        // One so small that it is held back like a document, one that passes, one that appears twice.
        image.layers[1] = (await newImage({ contents: [randomBytes(200_000).toString('hex')] })).layers[0]!;
        const same = withLayers(image, [image.layers[0]!, image.layers[1]!, image.layers[0]!]);
        const entries = podmanDockerArchive([same]).map((entry) =>
          /\.tar$/.test(entry.name) ? { ...entry, content: compress(Buffer.from(entry.content!)) } : entry,
        );
        const before = await imagesHere();
        for (const [i, entry] of entries.entries()) {
          // What an engine unpacks itself takes the way of every other layer.
          if (!/\.tar$/.test(entry.name) || name !== (isClassic ? 'zstd' : 'xz')) continue;
          const damaged = { ...entry, content: flipped(Buffer.from(entry.content!)) };
          const { path, bytes } = await archiveOf(entries.with(i, damaged));
          await rejects(() => host().load(how === 'file' ? path : bytes), DamagedError);
          assert.equal(await imagesHere(), before);
        }
        const { path, bytes } = await archiveOf(entries);
        const { load } = host();
        await load(how === 'file' ? path : bytes);
        await assertHeld(same);
        await load(how === 'file' ? path : bytes);
      }
    });
  }

  test('a layer without a byte, and one that is an empty tar: loaded, from a file and from a pipe', async () => {
    const empty = [Buffer.alloc(0), Buffer.alloc(1024)].map((tar) => ({ diffId: digestOf(tar), tar }));
    for (const write of isClassic ? [docker113, docker25, ociArchive] : [docker25, ociArchive]) {
      const image = await newImage();
      const hollow = withLayers(image, [image.layers[0]!, ...empty]);
      const { path, bytes } = await archiveOf(write([hollow]));
      for (const input of [path, bytes]) {
        await removeLoaded(await host().load(input));
        const damaged = await archiveOf(write([hollow]).map(withAByteWhereNoneIs));
        const damage = typeof input === 'string' ? damaged.path : damaged.bytes;
        await rejects(() => host().load(damage), DamagedError);
      }
    }
  });

  test('a compressed archive of compressed layers: loaded, and refused when a layer in it is damaged', async () => {
    for (const write of [ociArchive, zstdOciArchive]) {
      const image = await newImage();
      const entries = write([image]);
      const { bytes } = await archiveOf(entries);
      await host().load(gzipSync(bytes));
      await assertHeld(image);
      const i = entries.findIndex(({ content }) => codecOf(Buffer.from(content ?? '')) !== undefined);
      const damaged = { ...entries[i]!, content: flipped(Buffer.from(entries[i]!.content!)) };
      const twin = await archiveOf(entries.with(i, damaged));
      await rejects(() => host().load(gzipSync(twin.bytes)), DamagedError);
    }
  });

  test('what would expand beyond the disk is refused as soon as that shows', async () => {
    const before = await imagesHere();
    const header = tarFileHeader(`${'0'.repeat(64)}/layer.tar`, 2 ** 50);
    const zeros = Buffer.alloc(4 << 20);
    for (const compress of [zstdCompressSync, gzipSync]) {
      const bomb = Buffer.concat([compress(header), ...Array(20).fill(compress(zeros))]);
      await rejects(() => host().load(bomb), NoSpaceError);
    }
    assert.equal(await imagesHere(), before);
  });

  test('a plain tar that is cut at any entry is refused, and the engine is as before', async () => {
    const entries = docker113([await newImage()]);
    const before = await imagesHere();
    for (let count = 0; count < entries.length - 2; count++) {
      const { path, bytes } = await archiveOf(entries.slice(0, count));
      for (const input of [path, bytes]) await rejects(() => host().load(input), DamagedError);
    }
    assert.equal(await imagesHere(), before);
  });

  test('of an image whose lower layers are there already, only the others are sent', async () => {
    const image = await newImage();
    const { load } = host();
    await load((await archiveOf(docker113([image]))).path);
    const upgraded = await newImage({
      tag: '1.5',
      contents: [`${image.references[0]} lowest`, 'new in 1.5'],
    });
    const { archives } = await load((await archiveOf(docker113([upgraded]))).path);
    assert.is(archives[0]?.sent, upgraded.layers[1]!.tar.length);
    await assertHeld(upgraded);
  });

  test('of a bundle in a pipe, plain or compressed, layers that are there are not sent', async () => {
    const shared = `${process.pid} ${made} shared `.repeat(9000);
    const base = await newImage({ contents: [shared, 'old'] });
    const { load } = host();
    await load((await archiveOf(docker25([base]))).path);
    for (const format of ['tar', 'tar.zst', 'tar.gz'] as const) {
      const next = await newImage({ contents: [shared, `${format} new `.repeat(9000)] });
      const { archives } = await load(await bundleOf(next, format));
      assert.is(archives[0]?.sent, next.layers[1]!.tar.length);
      await assertHeld(next);
    }
  });

  test('a second release document behind the one that was judged is refused', async () => {
    const image = await newImage();
    const bundle = await bundleOf(image, 'tar');
    const size = Number.parseInt(bundle.toString('latin1', 124, 135), 8);
    const other = bundle.toString('latin1', 512, 512 + size).replace(/:1\.4"/, ':6.6"');
    const second = await tarOf([file('dockerctl/release.json', other)]);
    const twice = Buffer.concat([bundle.subarray(0, bundle.length - 1024), second]);
    const before = await imagesHere();
    for (const bytes of [twice, gzipSync(twice)]) {
      const { message } = await rejects(() => host().load(bytes), DamagedError);
      assert.match(message, 'twice');
    }
    assert.equal(await imagesHere(), before);
  });

  test('loading again sends nothing, and says that all of it was there', async () => {
    for (const write of [docker113, docker25, ociArchive]) {
      const image = await newImage();
      const { path } = await archiveOf(write([image]));
      const { load } = host();
      await load(path);
      const { archives } = await load(path);
      assert.is(archives[0]?.sent, 0);
      assert.is(archives[0]?.images[0]?.present, true);
    }
  });

  test('an image that lost its name gets it back without a layer being sent', async () => {
    const image = await newImage();
    const { path } = await archiveOf(docker113([image]));
    const { load } = host();
    await load(path);
    const other = `dockerctl-load-test/${process.pid}-other:1`;
    await engine.images.tag(image.references[0]!, other);
    await engine.images.remove(image.references[0]!);
    const { archives } = await load(path);
    assert.is(archives[0]?.sent, 0);
    await assertHeld(image);
  });

  test('a tag that moves is told, and the old image is in the catalog', async () => {
    const old = await newImage();
    await host().load((await archiveOf(docker113([old]))).path);
    const was = await engine.images.inspect(old.references[0]!);
    const next = await newImage({ references: old.references });
    const { load, catalog, warnings } = host();
    const { archives } = await load((await archiveOf(docker113([next]))).path);
    assert.equal(archives[0]?.moved, [{ reference: old.references[0], from: was?.id }]);
    assert.match(warnings[0]!, old.references[0]!);
    const [record] = await catalog.releases();
    assert.equal(record?.images[0]?.replaced, [{ reference: old.references[0], id: was?.id }]);
    // The containerd store drops an image with its last name.
    if (store === 'classic') await engine.images.remove(was!.id);
  });

  test('--select loads what matches, and says what there is when nothing does', async () => {
    const [a, b] = [await newImage(), await newImage()];
    const { path } = await archiveOf(docker113([a, b]));
    await host().load(path, { select: [b.references[0]!.replace(/^[^/]*/, '*')] });
    assert.is(await engine.images.inspect(a.references[0]!), undefined);
    await assertHeld(b);
    const error = await rejects(() => host().load(path, { select: ['nothing/*'] }), NotFoundError);
    assert.match(error.advice!, a.references[0]!);
  });

  test('of an image for several platforms the one for this host is loaded', async () => {
    const [here, there] = [await newImage(), await newImage({ architecture: 'arm64' })];
    there.references = here.references;
    const { path } = await archiveOf(ociArchive([there, here]));
    await host().load(path);
    await assertHeld(here);
  });

  test('an image for another platform only is refused', async () => {
    const { path } = await archiveOf(ociArchive([await newImage({ architecture: 's390x' })]));
    const error = await rejects(() => host().load(path), FailedError);
    assert.match(error.message, 'linux/s390x');
  });

  test('an interruption at any moment leaves the engine and the catalog as they were', async () => {
    const image = await newImage({ contents: ['x'.repeat(3_000_000), 'y'.repeat(3_000_000)] });
    const { path, bytes } = await archiveOf(containerdStore([image]));
    const before = await imagesHere();
    for (const delay of [0, 5, 20, 60]) {
      for (const input of [path, bytes]) {
        const controller = new AbortController();
        const { load, catalog } = host({ signal: controller.signal });
        setTimeout(() => controller.abort(), delay);
        const outcome = await load(input).then(
          () => 'loaded',
          (error: unknown) => error,
        );
        if (outcome === 'loaded') {
          await engine.images.remove(image.references[0]!);
          continue;
        }
        assert.instance(outcome, InterruptedError);
        assert.equal(await imagesHere(), before);
        assert.equal(await catalog.releases(), []);
      }
    }
  });

  test('a load that fails at its very end gives the tags that moved back', async () => {
    const old = await newImage();
    await host().load((await archiveOf(docker113([old]))).path);
    const before = await imagesHere();
    const next = await newImage({ references: old.references });
    const { load, catalog } = host();
    const broken: Catalog = {
      ...catalog,
      async record() {
        throw new FailedError('the disk of the catalog is full');
      },
    };
    const { path, bytes } = await archiveOf(docker113([next]));
    for (const input of [path, bytes]) {
      await rejects(() => load(input, { catalog: broken }), FailedError);
      assert.equal(await imagesHere(), before);
    }
    await assertHeld(old);
  });

  test('a release that cannot be told is asked for', async () => {
    const images = [await newImage({ tag: '1' }), await newImage({ tag: '2' })];
    const { path } = await archiveOf(docker113(images));
    const error = await rejects(() => host().load(path), Error);
    assert.match(error.message, 'which release');
    assert.is(await engine.images.inspect(images[0]!.references[0]!), undefined);
    const { archives } = await host().load(path, { release: '7.0' });
    assert.is(archives[0]?.release, '7.0');
  });
}
