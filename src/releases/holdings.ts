import type { ArchiveImage, ArchiveLayer } from '../archive/index/image-index.ts';
import type { Digest } from '../oci/digest.ts';
import type { ReleaseRecord } from './catalog/catalog.ts';
import { type EngineImages, heldImage, layerFinder } from './engine-images.ts';

/** What is asked of an engine before anything is sent to it: whether it has an image, and whether it has a layer of one. */
export interface Holdings {
  hasImage(image: ArchiveImage, manifest: Digest): boolean;
  hasLayer(image: ArchiveImage, layer: ArchiveLayer, index: number, digest: Digest): boolean;
}

export function holdingsOf(held: EngineImages, catalog: readonly ReleaseRecord[]): Holdings {
  return {
    hasImage: (image, manifest) => heldImage(held, image, manifest) !== undefined,
    hasLayer: layerFinder(held, catalog),
  };
}

/** Of an engine that is not trusted to have anything. */
export const nothing: Holdings = { hasImage: () => false, hasLayer: () => false };
