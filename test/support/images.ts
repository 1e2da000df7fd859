import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { busyboxPath } from '../../scripts/fixtures/busybox.ts';
import type { Engine } from '../../src/engine/engine.ts';

/** An image made by our own tar code. */
export interface TinyImage {
  /** Names it gets, each with a tag; none makes an untagged image. */
  references: string[];
  /** Lowest first: path → content, or a tar header with content. A layer may also come as a tar. */
  layers: (Record<string, TinyFile> | Buffer)[];
  /** The `config` part of the image's configuration: Cmd, Env, Labels, User, Volumes, … */
  config?: Record<string, unknown>;
  architecture?: string;
}

export type TinyFile = string | Buffer | (Partial<Omit<Header, 'name'>> & { content?: string | Buffer });

/** A docker-archive, as `docker save` of engines 1.13 to 24 lays it out: layers, configurations, manifest.json last. */
export async function dockerArchive(images: readonly TinyImage[]): Promise<Buffer> {
  const tar = pack();
  const archive = buffer(tar);
  const manifest: object[] = [];
  const written = new Set<string>();
  for (const image of images) {
    const layers = await Promise.all(image.layers.map(layerTar));
    for (const layer of layers) {
      const path = layerPath(layer);
      if (!written.has(path)) tar.entry({ name: path }, layer);
      written.add(path);
    }
    const config = configuration(image, layers);
    const name = `${sha256(config)}.json`;
    tar.entry({ name }, config);
    manifest.push({ Config: name, RepoTags: image.references, Layers: layers.map(layerPath) });
  }
  tar.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  tar.finalize();
  return archive;
}

/** A small image whose shell and tools are busybox, with `files` on top; returns its new, unique reference. */
export async function loadBusyboxImage(
  engine: Engine,
  { files = {}, ...image }: Partial<TinyImage> & { files?: Record<string, TinyFile> } = {},
): Promise<string> {
  const reference = image.references?.[0] ?? uniqueReference();
  const layers = [
    await busyboxLayer(),
    ...(Object.keys(files).length > 0 ? [files] : []),
    ...(image.layers ?? []),
  ];
  const archive = await dockerArchive([
    { references: [reference], config: { Cmd: ['sh'] }, ...image, layers },
  ]);
  await engine.images.load(streamOf(archive));
  return reference;
}

/** A name that no other test uses. */
export function uniqueName(prefix = 'test'): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

export function uniqueReference(): string {
  return `${uniqueName()}:1`;
}

/** The bytes in pieces, as they would come from a file. */
export function streamOf(bytes: Buffer, piece = 64 * 1024): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
    })(),
    { objectMode: false },
  );
}

const tools =
  'sh cat ls sleep echo true false id env stat head tail wc dd nc httpd wget ps kill tee sha256sum cp rm mkdir seq yes';

async function busyboxLayer(): Promise<Record<string, TinyFile>> {
  const layer: Record<string, TinyFile> = {
    'bin/': { type: 'directory', mode: 0o755 },
    'tmp/': { type: 'directory', mode: 0o1777 },
    'bin/busybox': { mode: 0o755, content: readFileSync(await busyboxPath()) },
    'etc/passwd': 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
    'etc/group': 'root:x:0:\nnobody:x:65534:\n',
  };
  for (const tool of tools.split(' ')) layer[`bin/${tool}`] = { type: 'symlink', linkname: 'busybox' };
  return layer;
}

async function layerTar(layer: Record<string, TinyFile> | Buffer): Promise<Buffer> {
  if (Buffer.isBuffer(layer)) return layer;
  const tar = pack();
  const bytes = buffer(tar);
  for (const [name, file] of Object.entries(layer)) {
    const { content = '', ...header } =
      typeof file === 'string' || Buffer.isBuffer(file) ? { content: file } : file;
    tar.entry({ mtime: new Date(0), ...header, name }, content);
  }
  tar.finalize();
  return bytes;
}

function configuration({ config = {}, architecture = 'amd64' }: TinyImage, layers: Buffer[]): string {
  return JSON.stringify({
    architecture,
    os: 'linux',
    created: '2020-01-01T00:00:00Z',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
    history: layers.map(() => ({ created: '2020-01-01T00:00:00Z', created_by: 'test' })),
  });
}

function layerPath(layer: Buffer): string {
  return `${sha256(layer)}/layer.tar`;
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
