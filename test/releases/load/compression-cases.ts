import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { Test } from 'uvu';
import * as assert from 'uvu/assert';
import { codecOf } from '../../../src/archive/codec.ts';
import { DamagedError } from '../../../src/support/errors.ts';
import { docker113, ociArchive, podmanDockerArchive, zstdOciArchive } from '../../archive/fixtures/eras.ts';
import { withLayers } from '../../archive/fixtures/images.ts';
import { rejects } from '../../support/rejects.ts';
import { flipped, type LoadGround } from './load-ground.ts';

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

/** Archives, and layers in them, in every compression. */
export function testCompressions(
  test: Test,
  { store, host, newImage, archiveOf, assertHeld, imagesHere }: LoadGround,
): void {
  // What an engine never sees need not be shown on both.
  const isClassic = store === 'classic';

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

  for (const [name, compress] of Object.entries(compressions)) {
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
}
