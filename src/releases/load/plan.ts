import type { Compression } from '../../archive/codec.ts';
import type { ArchivedFile } from '../../archive/index/archive-files.ts';
import type { ArchiveIndex } from '../../archive/index/archive-index.ts';
import type { ArchiveImage, ArchiveLayer } from '../../archive/index/image-index.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Holdings } from '../holdings.ts';
import { blobPath, manifestOf, type SentLayer } from './documents.ts';
import { missingLayers } from './missing-layers.ts';

/** What loading an indexed archive will send, decided before the first byte. */
export interface PlannedLoad {
  images: PlannedImage[];
  /** The layers that the engine lacks, each once, in the order in which they lie in the archive. */
  send: LayerToSend[];
}

export interface PlannedImage {
  image: ArchiveImage;
  layers: PlannedLayer[];
  /** The engine has this very image: only its names may be new. */
  present: boolean;
}

export interface PlannedLayer extends SentLayer {
  /** Where it lies; `undefined` when the archive leaves it out. */
  file: ArchivedFile | undefined;
}

export interface LayerToSend {
  file: ArchivedFile;
  /** In the stream to the engine. */
  name: string;
  diffId: Digest;
  /** Of the bytes in the archive, when the archive says so. */
  digest: Digest | undefined;
  /** As it lies in the archive. */
  compression: Compression | undefined;
}

/**
 * @param name of the archive, for messages
 * @throws {NotFoundError} when layers are missing that a delta's base has, and the engine lacks
 * @throws {DamagedError} when layers are missing from any other archive
 */
export function planLoad(
  name: string,
  archive: Pick<ArchiveIndex, 'files' | 'index' | 'compression'>,
  images: readonly ArchiveImage[],
  holdings: Holdings,
): PlannedLoad {
  const send = new Map<ArchivedFile, LayerToSend>();
  const missing: Digest[] = [];
  const planned = images.map((image): PlannedImage => {
    const layers = image.layers.map((layer) => plannedLayer(archive, layer));
    const present = holdings.hasImage(image, manifestOf(image, layers).descriptor.digest);
    for (const [i, { file, name, diffId, digest, compression }] of layers.entries()) {
      const layer = image.layers[i]!;
      // Of a compressed layer in a docker layout the digest is not known: it cannot be left out.
      const isKnown = layer.digest !== undefined || compression === undefined;
      if (isKnown && (present || holdings.hasLayer(image, layer, i, digest))) continue;
      if (file === undefined) missing.push(diffId);
      else
        send.set(file, { file, name, diffId, digest: layer.digest, compression: archive.compression(file) });
    }
    return { image, layers, present };
  });
  if (missing.length > 0) throw missingLayers(name, archive.index, missing);
  return { images: planned, send: [...send.values()].sort((a, b) => a.file.offset - b.file.offset) };
}

function plannedLayer(
  archive: Pick<ArchiveIndex, 'files' | 'compression'>,
  layer: ArchiveLayer,
): PlannedLayer {
  const { diffId } = layer;
  const file = layer.path === undefined ? undefined : archive.files.find(layer.path);
  const digest = layer.digest ?? diffId;
  const compression = file === undefined ? compressionOf(layer.mediaType) : archive.compression(file);
  const name = file === undefined ? blobPath(digest) : `layers/${file.offset}`;
  return { name, digest, size: file?.size ?? layer.size, compression, diffId, file };
}

/** What a manifest says of a layer that is not in the archive. */
export function compressionOf(mediaType: string | undefined): string | undefined {
  return /[+.](gzip|zstd)$/.exec(mediaType ?? '')?.[1];
}

/** Digests of layers that the engine has for each of the images that need them. */
export function layersHeldByAll(
  images: readonly ArchiveImage[],
  hasLayer: Holdings['hasLayer'],
): Set<Digest> {
  const [held, needed] = [new Set<Digest>(), new Set<Digest>()];
  for (const image of images) {
    for (const [i, layer] of image.layers.entries()) {
      const digest = layer.digest ?? layer.diffId;
      (hasLayer(image, layer, i, digest) ? held : needed).add(digest);
    }
  }
  return held.difference(needed);
}

/** Whether layers were left out that the archive holds. */
export function canSendMore({ images, send }: PlannedLoad): boolean {
  const files = images.flatMap(({ layers }) => layers.map(({ file }) => file));
  return !files.includes(undefined) && new Set(files).size > send.length;
}
