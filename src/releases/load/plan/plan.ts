import type { Compression } from '../../../archive/codec.ts';
import type { ArchivedFile } from '../../../archive/index/archive-files.ts';
import type { ArchiveIndex } from '../../../archive/index/archive-index.ts';
import type { ArchiveImage, ArchiveLayer } from '../../../archive/index/image-index.ts';
import { blobName, type Digest } from '../../../oci/digest.ts';
import { heldImage } from '../../holdings/held-image.ts';
import type { Holdings } from '../../holdings/holdings.ts';
import { compressionOf, type SentImage, type SentLayer } from '../stream/documents.ts';
import type { StoredLayer } from '../stream/sent-layer.ts';
import { missingLayers } from './missing-layers.ts';

/** What loading an indexed archive will send, decided before the first byte. */
export interface PlannedLoad {
  images: PlannedImage[];
  /** The layers that the engine lacks, each once, in the order in which they lie in the archive. */
  send: LayerToSend[];
}

export interface PlannedImage extends SentImage {
  layers: PlannedLayer[];
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
    const own = image.layers.map((layer) => plannedLayer(archive, layer));
    const { lacking, ...held } = heldImage(image, own, holdings);
    for (const i of lacking) {
      const { file, name, diffId } = own[i]!;
      const { digest } = image.layers[i]!;
      if (file === undefined) missing.push(diffId);
      else send.set(file, { file, name, diffId, digest, compression: archive.compression(file) });
    }
    return held;
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
  const name = file === undefined ? blobName(digest) : `layers/${file.offset}`;
  return { name, digest, size: file?.size ?? layer.size, compression, diffId, file };
}

/**
 * Layers that the engine has for each of the images that need them, by their digest in the archive, in the form in
 * which it has them.
 */
export function layersHeldByAll(
  images: readonly ArchiveImage[],
  holdings: Holdings,
): Map<Digest, StoredLayer> {
  const held = new Map<Digest, StoredLayer>();
  const needed = new Set<Digest>();
  for (const image of images) {
    for (const [i, { digest, diffId, size, mediaType }] of image.layers.entries()) {
      const own = { digest: digest ?? diffId, size, compression: compressionOf(mediaType) };
      const found = holdings.layer(image, i, own);
      if (found === undefined) needed.add(own.digest);
      else held.set(own.digest, found);
    }
  }
  for (const digest of needed) held.delete(digest);
  return held;
}

/** Whether layers were left out that the archive holds. */
export function canSendMore({ images, send }: PlannedLoad): boolean {
  const files = images.flatMap(({ layers }) => layers.map(({ file }) => file));
  return !files.includes(undefined) && new Set(files).size > send.length;
}
