import type { ArchiveImage } from '../../archive/index/image-index.ts';
import type { ImageDetails } from '../../engine/engine.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ReleaseRecord } from '../catalog/catalog.ts';
import type { EngineImages } from '../engine-images.ts';
import type { SentImage } from '../load/stream/documents.ts';
import type { StoredLayer } from '../load/stream/sent-layer.ts';
import { classicHoldings } from './classic.ts';
import { containerdHoldings } from './containerd.ts';
import type { StoredImage } from './stored-images.ts';

/** What is asked of an engine before anything is sent to it. */
export interface Holdings {
  /** The engine's own image, when it has this very one; `manifest` is that which it would be loaded with. */
  image(image: ArchiveImage, manifest: Digest): ImageDetails | undefined;
  /**
   * In what form it has a layer of an image, which need not be that of the archive; `undefined` when it lacks it.
   * @param own the form in which the archive has it
   */
  layer(image: ArchiveImage, index: number, own: StoredLayer): StoredLayer | undefined;
  /** An image all of whose layers the engine has, with the manifest under which it may have the image itself. */
  asHeld<T extends SentImage>(sent: T): T;
}

/** Of an engine that is not trusted to have anything. */
export const nothing: Holdings = {
  image: () => undefined,
  layer: () => undefined,
  asHeld: (sent) => sent,
};

/** @param stored what the manifests of a containerd store's images say, of those that were looked at */
export function holdingsOf(
  held: EngineImages,
  catalog: readonly ReleaseRecord[],
  stored: readonly StoredImage[],
): Holdings {
  return held.store === 'classic' ? classicHoldings(held) : containerdHoldings(held, catalog, stored);
}
