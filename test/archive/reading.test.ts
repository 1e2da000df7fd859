import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openArchive } from '../../src/archive/archive.ts';
import { indexArchive } from '../../src/archive/index/archive-index.ts';
import type { ImageIndex } from '../../src/archive/index/image-index.ts';
import { indexOneWay } from '../../src/archive/index/one-way-index.ts';
import type { ArchiveInput } from '../../src/archive/input.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { DamagedError, UsageError } from '../../src/support/errors.ts';
import { rejects } from '../support/rejects.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { docker25, docker110, docker113, eras, ociArchive } from './fixtures/eras.ts';
import { fixtureImage, withLayers } from './fixtures/images.ts';
import { directory as dir, type Entry, file, hardlink, json, symlink, tarOf } from './fixtures/tar.ts';

const root = temporaryDirectory();
const image = await fixtureImage({ contents: ['one', 'two', 'one'] });
const other = await fixtureImage({ references: ['dockerctl-fixture/other:1.4'], contents: ['one', 'three'] });

let made = 0;
/** The same bytes as a file, as a stream of one piece, of many, and of one byte each. */
function inputs(bytes: Buffer): Record<string, ArchiveInput> {
  made += 1;
  const path = join(root, `${made}.tar`);
  writeFileSync(path, bytes);
  const stream = (pieces: Iterable<Buffer>) => ({
    name: '-',
    stream: Readable.from(pieces, { objectMode: true }),
  });
  return {
    file: path,
    whole: stream([bytes]),
    streamed: stream(cut(bytes, 1000)),
    ...(bytes.length < 1 << 20 && { 'byte by byte': stream(cut(bytes, 1)) }),
  };
}

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(input: ArchiveInput): Promise<ImageIndex> {
  const archive = await openArchive(input);
  try {
    const { seekable } = archive;
    if (seekable !== undefined) return (await indexArchive({ ...archive, seekable })).index;
    return (await indexOneWay(archive, { stopAtLayers: false })).index;
  } finally {
    await archive.close();
  }
}

async function readEveryWay(entries: readonly Entry[]): Promise<ImageIndex> {
  const bytes = await tarOf(entries);
  const indexes: ImageIndex[] = [];
  for (const input of Object.values(inputs(bytes))) indexes.push(await read(input));
  for (const index of indexes) assert.equal(index, indexes[0]);
  return indexes[0]!;
}

async function refusedEveryWay(
  entries: readonly Entry[] | Buffer,
  type: abstract new (...args: never[]) => Error = DamagedError,
): Promise<Error> {
  const bytes = Buffer.isBuffer(entries) ? entries : await tarOf(entries);
  const errors: Error[] = [];
  for (const input of Object.values(inputs(bytes))) errors.push(await rejects(() => read(input), type));
  return errors[0]!;
}

const diffIds = ({ layers }: { layers: { diffId: string }[] }) => layers.map(({ diffId }) => diffId);

for (const [era, write] of Object.entries(eras)) {
  test(`${era}: images, names, platforms and layers are read, however the bytes arrive`, async () => {
    const { images } = await readEveryWay(write([image, other]));
    assert.equal(
      images.map(({ references }) => references),
      [image.references, other.references],
    );
    assert.equal(images.map(diffIds), [diffIds(image), diffIds(other)]);
    assert.equal(
      images.map(({ platform }) => platform.architecture),
      ['amd64', 'amd64'],
    );
    if (!era.includes('up to 1.9')) assert.is(images[0]?.config.digest, image.config.digest);
  });

  test(`${era}: an archive that lacks any of its layers shows it, however the bytes arrive`, async () => {
    const entries = write([image]);
    const i = entries.findIndex(({ name }) => /layer\.tar$|\.tar$|blobs\/sha256\/./.test(name));
    const rest = entries.toSpliced(i, 1);
    const outcome = await readEveryWay(rest).catch((error: unknown) => error);
    if (outcome instanceof Error) assert.instance(outcome, DamagedError);
    else {
      const { images, absent } = outcome as ImageIndex;
      const whole = images.every(({ layers }) => layers.every(({ path }) => path !== undefined));
      assert.not(whole && images.length > 0 && absent.length === 0);
    }
  });
}

test('names with ./ before them, absolute ones, and doubled slashes are the same files', async () => {
  for (const prefix of ['./', '/', './/']) {
    const entries = docker110([image]).map((entry) => ({ ...entry, name: `${prefix}${entry.name}` }));
    assert.is((await readEveryWay(entries)).images.length, 1);
  }
});

test('of a name that occurs twice the later file counts', async () => {
  const entries = [json('manifest.json', [{ Config: 'nowhere.json', Layers: [] }]), ...docker110([image])];
  assert.equal((await readEveryWay(entries)).images[0]?.references, image.references);
});

test('manifest.json may stand before the blobs', async () => {
  assert.is((await readEveryWay(docker113([image]).toReversed())).images.length, 1);
});

test('an entry that climbs out of the archive is refused', async () => {
  const error = await refusedEveryWay([file('../../x', 'evil'), ...docker110([image])]);
  assert.match(error.message, 'leaves the archive');
});

test('an absolute link and a file through it reach nothing outside', async () => {
  const entries = [symlink('evil', '/etc'), file('evil/passwd', 'x'), ...docker110([image])];
  assert.is((await readEveryWay(entries)).images.length, 1);
});

test('a layer path or link that leaves the archive, or turns in a circle, is refused', async () => {
  const [, ...rest] = docker110([image]);
  const layer = rest.find(({ name }) => name.endsWith('/layer.tar'))!.name;
  for (const link of ['../../../etc/passwd', '/etc/passwd', 'layer.tar']) {
    await refusedEveryWay([...rest, symlink(layer, link)]);
  }
  const manifest = [
    { Config: `${hexOf(image.config.digest)}.json`, RepoTags: null, Layers: ['../x', 'b', 'c'] },
  ];
  await refusedEveryWay([...rest, json('manifest.json', manifest)]);
});

test('a hard link is meant from the root of the archive', async () => {
  const entries = docker113([image]).map((entry) =>
    entry.type === 'symlink' ? hardlink(entry.name, entry.linkname!.slice(3)) : entry,
  );
  assert.equal((await readEveryWay(entries)).images.map(diffIds), [diffIds(image)]);
});

for (const type of ['character-device', 'block-device', 'fifo'] as const) {
  test(`a ${type} is refused`, async () => {
    await refusedEveryWay([{ name: 'odd', type, devmajor: 1, devminor: 3 }, ...docker110([image])]);
  });
}

test('PAX headers, global ones and long names are understood', async () => {
  const long = `${'d'.repeat(120)}/${'n'.repeat(150)}.json`;
  const entries = docker110([image]).map((entry) => {
    if (entry.name === `${hexOf(image.config.digest)}.json`) return { ...entry, name: long };
    if (entry.name !== 'manifest.json') return { ...entry, pax: { comment: 'x' } };
    return json(
      'manifest.json',
      JSON.parse(String(entry.content).replaceAll(`${hexOf(image.config.digest)}.json`, long)),
    );
  });
  assert.is((await readEveryWay(entries)).images.length, 1);
});

test('a global PAX header counts for all entries behind it, and names nothing by itself', async () => {
  const bytes = await tarOf(docker110([image]));
  const [header] = [await tarOf([file('pax_global_header', '31 comment=0123456789abcdef012\n')])];
  header[156] = 'g'.charCodeAt(0);
  withChecksum(header);
  const whole = Buffer.concat([header.subarray(0, 1024), bytes]);
  for (const input of Object.values(inputs(whole))) assert.is((await read(input)).images.length, 1);
  header[512] = '9'.charCodeAt(0);
  await refusedEveryWay(Buffer.concat([header.subarray(0, 1024), bytes]));
});

function withChecksum(header: Buffer): void {
  header.write('        ', 148);
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
}

test('a size of more than 8 GiB is read, and known to be missing', async () => {
  const huge = await tarOf([file('huge', '')]);
  huge[124] = 0x80;
  huge.fill(0, 125, 136);
  huge.writeBigUInt64BE(20n * 2n ** 30n, 128);
  withChecksum(huge);
  const error = await refusedEveryWay(huge);
  assert.match(error.message, /ends at byte \d+/);
});

test('manifest.json that is null is an error, an empty list is not', async () => {
  await refusedEveryWay([json('manifest.json', null)]);
  assert.equal((await readEveryWay([json('manifest.json', [])])).images, []);
});

test('RepoTags may be missing or null', async () => {
  for (const tags of [undefined, null]) {
    const entries = docker110([image]).map((entry) => {
      if (entry.name !== 'manifest.json') return entry;
      return json('manifest.json', [{ ...JSON.parse(String(entry.content))[0], RepoTags: tags }]);
    });
    assert.equal((await readEveryWay(entries)).images[0]?.references, []);
  }
});

test('more layers than diff ids, or fewer, are refused', async () => {
  for (const change of [
    (layers: string[]) => layers.slice(1),
    (layers: string[]) => [...layers, layers[0]],
  ]) {
    const entries = docker110([image]).map((entry) => {
      if (entry.name !== 'manifest.json') return entry;
      const [first] = JSON.parse(String(entry.content));
      return json('manifest.json', [{ ...first, Layers: change(first.Layers) }]);
    });
    assert.match((await refusedEveryWay(entries)).message, 'diff ids');
  }
});

test('a config whose digest is not its name is refused', async () => {
  const entries = docker110([image]).map((entry) =>
    entry.name === `${hexOf(image.config.digest)}.json` ? { ...entry, content: `${entry.content} ` } : entry,
  );
  assert.match((await refusedEveryWay(entries)).message, 'digest');
});

test('documents that disagree on which images there are are refused', async () => {
  const [index] = docker25([other]).filter(({ name }) => name === 'index.json');
  const entries = [
    ...docker25([image]),
    ...docker25([other]).filter(({ name }) => name.startsWith('blobs/')),
    index!,
  ];
  assert.match((await refusedEveryWay(entries)).message, 'disagree');
});

test('manifests without layers, as Docker 25.0.0 wrote them beside a good manifest.json, do not matter', async () => {
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: image.config.digest,
    size: image.config.bytes.length,
  };
  const bytes = JSON.stringify({ schemaVersion: 2, config, layers: null });
  const descriptor = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(bytes),
    size: bytes.length,
  };
  const entries = [
    ...docker25([image]).filter(({ name }) => name !== 'index.json'),
    file(`blobs/sha256/${hexOf(digestOf(bytes))}`, bytes),
    json('index.json', { schemaVersion: 2, manifests: [descriptor] }),
  ];
  assert.equal((await readEveryWay(entries)).images.map(diffIds), [diffIds(image)]);
});

test('blobs that nothing refers to are normal', async () => {
  const entries = [...ociArchive([image]), file(`blobs/sha256/${'0'.repeat(64)}`, 'unreferenced')];
  assert.is((await readEveryWay(entries)).images.length, 1);
});

test('indexes that lead to each other without end are refused', async () => {
  let inner = JSON.stringify({ manifests: [] });
  const blobs: Entry[] = [];
  for (let depth = 0; depth < 8; depth++) {
    blobs.push(file(`blobs/sha256/${hexOf(digestOf(inner))}`, inner));
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    inner = JSON.stringify({ manifests: [{ mediaType, digest: digestOf(inner), size: inner.length }] });
  }
  await refusedEveryWay([...blobs, file('index.json', inner)]);
});

test('JSON that is too long, or none at all, is refused', async () => {
  await refusedEveryWay([file('manifest.json', '{"broken"')]);
  await refusedEveryWay(
    [file('manifest.json', `[${' '.repeat(9 << 20)}]`)].concat(docker110([image]).slice(0, 1)),
  );
});

test('the file system of a container is told from an image', async () => {
  const entries = [dir('etc/'), file('etc/passwd', 'root'), dir('bin/'), file('bin/sh', '')];
  assert.match((await refusedEveryWay(entries, UsageError)).message, 'docker export');
});

test('an empty file, and one that is no archive, are damaged', async () => {
  await refusedEveryWay(Buffer.alloc(0));
  await refusedEveryWay(Buffer.from('this is no archive at all'.repeat(100)));
});

for (const [era, write] of Object.entries(eras)) {
  test(`${era}: a layer without a byte, and one that is an empty tar, are layers`, async () => {
    const empty = [Buffer.alloc(0), Buffer.alloc(1024)].map((tar) => ({ diffId: digestOf(tar), tar }));
    const hollow = withLayers(image, [image.layers[0]!, ...empty]);
    const { images } = await readEveryWay(write([hollow]));
    assert.equal(images.map(diffIds), [diffIds(hollow)]);
  });
}

for (const [format, magic, command] of [
  ['lrzip', '4c525a4900', 'lrzip -d'],
  ['lz4', '04224d1864', 'lz4 -d'],
  ['lzma-alone', '5d00008000', 'xz --format=lzma -d'],
] as const) {
  test(`${format} is refused with the command that converts it`, async () => {
    const bytes = Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(600)]);
    const error = await refusedEveryWay(bytes, UsageError);
    assert.match((error as UsageError).advice!, command);
  });
}

test.run();
