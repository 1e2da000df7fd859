import type { ArchiveImage } from '../../../archive/index/image-index.ts';
import { fullReference, tagOf } from '../../../archive/index/reference.ts';
import type { ImageDetails } from '../../../engine/engine.ts';
import { type Descriptor, mediaTypes } from '../../../oci/descriptor.ts';
import { blobName, type Digest, digestOf } from '../../../oci/digest.ts';

/** A layer as the engine is going to find it: sent under `name`, or there already. */
export interface SentLayer {
  name: string;
  /** Of the bytes that are sent, and how they are compressed. */
  digest: Digest;
  size: number;
  compression: string | undefined;
  /** Of the tar inside. */
  diffId: Digest;
}

/** What a manifest says of how a layer is compressed. */
export function compressionOf(mediaType: string | undefined): string | undefined {
  return /[+.](gzip|zstd)$/.exec(mediaType ?? '')?.[1];
}

/** An image and its layers as they were sent. */
export interface SentImage {
  image: ArchiveImage;
  /** Lowest first. */
  layers: SentLayer[];
  /** The engine's own, when it had this very image: nothing is sent of it, and only its names may be new. */
  held?: ImageDetails | undefined;
}

/** A small file of the stream to the engine. */
export interface Document {
  name: string;
  bytes: Uint8Array;
}

/**
 * The files that make images of layers: configs and manifests, then `index.json` and `oci-layout` for the containerd
 * store, and `manifest.json` for the classic one. An engine that gets no `manifest.json` and no `oci-layout` keeps
 * nothing, so they come after everything that must be verified.
 */
export function closingDocuments(
  images: readonly { image: ArchiveImage; layers: SentLayer[] }[],
): Document[] {
  const blobs = new Map<string, Document>();
  const index: Descriptor[] = [];
  const docker: object[] = [];
  for (const { image, layers } of images) {
    const manifest = manifestOf(image, layers);
    for (const bytes of [image.config.bytes, manifest.bytes]) {
      const name = blobName(digestOf(bytes));
      blobs.set(name, { name, bytes });
    }
    index.push(...namedDescriptors(manifest.descriptor, image.references));
    docker.push({
      Config: blobName(image.config.digest),
      RepoTags: image.references.length === 0 ? null : image.references,
      Layers: layers.map(({ name }) => name),
    });
  }
  return [
    ...blobs.values(),
    json('index.json', { schemaVersion: 2, mediaType: mediaTypes.index, manifests: index }),
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    json('manifest.json', docker),
  ];
}

/** The manifest the archive came with, so that its digest stays; else one made of what is sent. */
export function manifestOf(
  image: ArchiveImage,
  layers: readonly SentLayer[],
): { descriptor: Descriptor; bytes: Uint8Array } {
  const unchanged = image.layers.every((layer, i) => layer.digest === layers[i]!.digest);
  if (image.manifest !== undefined && unchanged) return image.manifest;
  const { config } = image;
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, digest: config.digest, size: config.bytes.length },
      layers: layers.map(({ digest, size, compression }) => ({
        mediaType: layerType(compression),
        digest,
        size,
      })),
    }),
  );
  return {
    descriptor: { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length },
    bytes,
  };
}

function layerType(compression: string | undefined): string {
  return compression === undefined ? mediaTypes.layer : `${mediaTypes.layer}+${compression}`;
}

/** One descriptor per name, for that is how containerd finds names; one without for an image that has none. */
function namedDescriptors(
  { mediaType, digest, size }: Descriptor,
  references: readonly string[],
): Descriptor[] {
  if (references.length === 0) return [{ mediaType, digest, size }];
  return references.map((reference) => ({
    mediaType,
    digest,
    size,
    annotations: {
      'io.containerd.image.name': fullReference(reference),
      'org.opencontainers.image.ref.name': tagOf(reference),
    },
  }));
}

function json(name: string, value: unknown): Document {
  return { name, bytes: Buffer.from(JSON.stringify(value)) };
}
