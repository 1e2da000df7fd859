import type { ArchiveImage } from '../../archive/index/image-index.ts';
import { manifestOf, type SentImage, type SentLayer } from '../load/stream/documents.ts';
import type { Holdings } from './holdings.ts';

/** An image of an archive, its layers in the form in which the engine has them, or is going to have them. */
export interface HeldImage<T extends SentLayer> extends SentImage {
  layers: T[];
  /** Which of its layers the engine lacks. */
  lacking: ReadonlySet<number>;
}

/** @param own its layers as the archive has them */
export function heldImage<T extends SentLayer>(
  image: ArchiveImage,
  own: readonly T[],
  holdings: Holdings,
): HeldImage<T> {
  const same = holdings.image(image, manifestOf(image, own).descriptor.digest);
  const lacking = new Set<number>();
  const layers = own.map((layer, i) => {
    const form = same === undefined ? holdings.layer(image, i, layer) : layer;
    // Of a compressed layer in a docker layout the digest is not known: of one that is left out it would be wrong.
    const isTold = form !== layer || image.layers[i]?.digest !== undefined || layer.compression === undefined;
    if (form !== undefined && isTold) return { ...layer, ...form };
    lacking.add(i);
    return layer;
  });
  const { held, ...found } = recognized<SentImage & { layers: T[] }>({ image, layers }, holdings);
  return { ...found, held: same ?? held, lacking };
}

/** An image that the engine has, or was sent, every layer of: with the engine's own where it has this very one. */
export function recognized<T extends SentImage>(sent: T, holdings: Holdings): T {
  const found = holdings.asHeld(sent);
  const { digest } = manifestOf(found.image, found.layers).descriptor;
  return { ...found, held: holdings.image(found.image, digest) };
}
