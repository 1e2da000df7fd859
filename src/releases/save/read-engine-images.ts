import type { BundleLayer } from '../../archive/bundle-writer.ts';
import { streamSource } from '../../archive/byte-source.ts';
import { BlockCompressor, type SpooledContent } from '../../archive/compress/block-compressor.ts';
import { type BlockFormat, blockFormat } from '../../archive/compress/block-format.ts';
import { decompress } from '../../archive/decompress.ts';
import { readImages } from '../../archive/index/image-index.ts';
import type { Spool } from '../../archive/spool.ts';
import { SpooledArchive, type SpooledLayer } from '../../archive/spooled-archive.ts';
import { readTar } from '../../archive/tar/reader.ts';
import type { Engine, ImageDetails } from '../../engine/engine.ts';
import { blobName, type Digest, isDigest } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { counted } from '../../support/counted.ts';
import { NotFoundError } from '../../support/errors.ts';
import { chosenImages } from '../choose-images.ts';
import { type BundledImage, layersInOrder } from './bundle-contents.ts';
import { type DeltaBase, layersToLeaveOut } from './delta.ts';

export interface EngineImagesRequest {
  /** Image references or ids. */
  images: readonly string[];
  /** What the receiver has. */
  base: DeltaBase | undefined;
  /** How layers are compressed, and where they are set aside. */
  format: BlockFormat;
  spool: Spool;
  /**
   * Is told, before the first byte, of images that will be in the bundle whole; throws when there is no room for them.
   */
  admit(images: readonly ImageDetails[]): Promise<void>;
}

export interface SpooledImages {
  images: BundledImage[];
  /** The layers that are not left out, in the order of a bundle. */
  layers: BundleLayer[];
  /** Sorted. */
  leftOut: Digest[];
}

/**
 * Reads images out of the engine, once. Every layer is checked against its image's config, compressed and set aside.
 * @throws {NotFoundError} when the engine has no such image
 * @throws {DamagedError} when the engine's stream contradicts itself
 */
export async function readEngineImages(
  engine: Engine,
  { images: references, base, format, spool, admit }: EngineImagesRequest,
  context: Context,
): Promise<SpooledImages> {
  const held = await heldImages(engine, references);
  const unwanted = layersToLeaveOut(held.map(layersOf), base);
  if (unwanted.size === 0) await admit(held);
  // An old engine does not tell beforehand which layer it sends: those a delta leaves out must not cost much.
  const passing = unwanted.size === 0 ? format : await blockFormat('tar.zst', 1);
  const archive = new SpooledArchive(streamName, new BlockCompressor(passing, spool), unwanted);
  await passThrough(engine, { references, held, archive }, context);
  const platform = await engine.info();
  const index = await readImages(archive.files);
  const chosen = chosenImages(index, { name: streamName, select: undefined, platform });
  const found = new Map<Digest, SpooledLayer>();
  const images: BundledImage[] = [];
  for (const image of chosen) {
    const called = image.references[0] ?? image.config.digest;
    for (const layer of image.layers) found.set(layer.diffId, await archive.layer(layer, called));
    images.push({ image, layers: image.layers.map(({ diffId }) => found.get(diffId)!) });
  }
  const inOrder = layersInOrder(images).map((diffId) => found.get(diffId)!);
  const recompress = passing === format ? undefined : new BlockCompressor(format, spool);
  const layers = await layersToWrite(inOrder, recompress, spool);
  const leftOut = inOrder.filter(({ content }) => content === undefined).map(({ diffId }) => diffId);
  return { images, layers, leftOut: leftOut.sort() };
}

const streamName = "the engine's stream";

async function heldImages(engine: Engine, references: readonly string[]): Promise<ImageDetails[]> {
  const held = references.map(async (reference) => {
    const image = await engine.images.inspect(reference);
    if (image !== undefined) return image;
    throw new NotFoundError(`saving ${reference}: the engine has no such image`, {
      advice: 'Give its name with the tag, as docker images shows it, or all 64 digits of its id',
      facts: { reference },
    });
  });
  return await Promise.all(held);
}

async function passThrough(
  engine: Engine,
  {
    references,
    held,
    archive,
  }: { references: readonly string[]; held: ImageDetails[]; archive: SpooledArchive },
  { progress, signal }: Context,
): Promise<void> {
  const total = held.reduce((sum, { size }) => sum + size, 0);
  const task = progress.begin('reading images', { unit: 'bytes', total });
  const stream = await engine.images.save([...new Set(references)], { signal });
  const source = streamSource(
    counted(stream, (bytes) => task.advance(bytes)),
    streamName,
  );
  try {
    for await (const entry of readTar(source, streamName)) await archive.take(entry);
  } finally {
    await source.close();
    task.end();
  }
}

/** Those that are not left out, as hard compressed as they are to be. */
async function layersToWrite(
  inOrder: readonly SpooledLayer[],
  recompress: BlockCompressor | undefined,
  spool: Spool,
): Promise<BundleLayer[]> {
  const layers: BundleLayer[] = [];
  for (const { diffId, size, content } of inOrder) {
    if (content === undefined) continue;
    const final = recompress === undefined ? content : await recompressed(content, recompress, spool);
    layers.push({ name: blobName(diffId), size, content: final });
  }
  return layers;
}

async function recompressed(
  content: SpooledContent,
  compressor: BlockCompressor,
  spool: Spool,
): Promise<SpooledContent> {
  return await compressor.add(decompress('zstd', taken(content, spool), 'the spool'));
}

async function* taken({ blocks }: SpooledContent, spool: Spool): AsyncGenerator<Uint8Array> {
  for (const block of blocks) yield await spool.take((await block).extent);
}

function layersOf({ diffIds }: ImageDetails): { layers: Digest[] } {
  return { layers: diffIds.filter(isDigest) };
}
