import type { BundleDocument } from '../../archive/bundle-writer.ts';
import type { ArchiveImage } from '../../archive/index/image-index.ts';
import {
  encodeReleaseDocument,
  type ReleaseBase,
  type ReleaseDocument,
  type ReleaseImage,
  releaseDocumentPath,
  releaseSignaturePath,
} from '../../archive/index/release-document.ts';
import { blobName, type Digest } from '../../oci/digest.ts';
import { closingDocuments, manifestOf } from '../load/stream/documents.ts';
import type { AttachedFile } from './attachments.ts';

/** An image that goes into a bundle, the sizes of its uncompressed layers known. */
export interface BundledImage {
  image: ArchiveImage;
  /** Lowest first. */
  layers: readonly { diffId: Digest; size: number }[];
}

export interface BundleDescription {
  tool: string;
  release: string | undefined;
  images: readonly BundledImage[];
  base: ReleaseBase | undefined;
  attachments: readonly AttachedFile[];
}

/** The release document of a bundle; the same whatever order images come in. */
export function releaseDocumentOf(description: BundleDescription): ReleaseDocument {
  const { tool, release, base, attachments } = description;
  return {
    tool,
    release,
    images: inOrder(description.images).map(releaseImage),
    base,
    attachments: attachments.map(({ attachment }) => attachment),
  };
}

/** Everything in a bundle but its layers, in order. */
export function bundleDocuments(
  document: ReleaseDocument,
  signature: string | undefined,
  description: BundleDescription,
): BundleDocument[] {
  const release = { name: releaseDocumentPath, bytes: Buffer.from(encodeReleaseDocument(document)) };
  const signed =
    signature === undefined ? [] : [{ name: releaseSignaturePath, bytes: Buffer.from(signature) }];
  const layouts = new Map(
    closingDocuments(inOrder(description.images).map(asSent)).map((file) => [file.name, file]),
  );
  const named = ['oci-layout', 'index.json', 'manifest.json'].map((name) => layouts.get(name)!);
  for (const { name } of named) layouts.delete(name);
  for (const { attachment, bytes } of description.attachments) {
    const name = blobName(attachment.digest);
    layouts.set(name, { name, bytes });
  }
  const blobs = [...layouts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [release, ...signed, ...named, ...blobs];
}

/** The layers of a bundle in the order in which its images first need them, each once. */
export function layersInOrder(images: readonly BundledImage[]): Digest[] {
  return [...new Set(inOrder(images).flatMap(({ layers }) => layers.map(({ diffId }) => diffId)))];
}

function inOrder(images: readonly BundledImage[]): BundledImage[] {
  const key = ({ image }: BundledImage) => `${image.references.toSorted()[0] ?? '~'} ${image.config.digest}`;
  return images.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function releaseImage(bundled: BundledImage): ReleaseImage {
  const { image, layers } = asSent(bundled);
  const { descriptor } = manifestOf(image, layers);
  const { config, platform, references } = image;
  return {
    references,
    platform: {
      os: platform.os,
      architecture: platform.architecture,
      ...(platform.variant !== undefined && { variant: platform.variant }),
    },
    manifest: { digest: descriptor.digest, size: descriptor.size },
    config: { digest: config.digest, size: config.bytes.length },
    layers: layers.map(({ digest, size }) => ({ digest, size })),
  };
}

/** As a bundle holds it: layers uncompressed, so the manifest is one of ours. */
function asSent({ image: { manifest: _, ...image }, layers }: BundledImage) {
  return {
    image: { ...image, references: image.references.toSorted() },
    layers: layers.map(({ diffId, size }) => ({
      name: blobName(diffId),
      digest: diffId,
      size,
      compression: undefined,
      diffId,
    })),
  };
}
