import type { ArchiveImage } from '../../archive/index/image-index.ts';
import type { Digest } from '../../oci/digest.ts';
import type { CatalogImage, ReleaseRecord } from '../catalog/catalog.ts';
import type { EngineImages } from '../engine-images.ts';
import { compressionOf } from '../load/stream/documents.ts';
import type { StoredLayer } from '../load/stream/sent-layer.ts';
import type { Holdings } from './holdings.ts';
import type { StoredImage } from './stored-images.ts';

/**
 * The containerd store finds images and layers by the digest of their bytes, and has layers in whatever form they came.
 * It is told to make an image of the blobs that it has.
 */
export function containerdHoldings(
  held: EngineImages,
  catalog: readonly ReleaseRecord[],
  stored: readonly StoredImage[],
): Holdings {
  const digests = new Set(loadedByUs(held, catalog).map(({ digest }) => digest));
  const forms = formsOf(held, catalog, stored);
  const sameAs = (image: ArchiveImage) => {
    const same = stored.filter((other) => other.image.config.digest === image.config.digest);
    return namedFirst(same, image, held);
  };
  return {
    image(image, manifest) {
      const same = stored.filter((other) => other.image.manifest?.descriptor.digest === manifest);
      const ids = [manifest, ...same.map(({ id }) => id)];
      const several = ids.map((id) => held.byId.get(id)).filter((found) => found !== undefined);
      return namedFirst(several, image, held)[0];
    },
    layer(image, index, own) {
      const [same] = sameAs(image);
      if (same !== undefined) return formOf(same.image, index);
      if (digests.has(own.digest)) return own;
      const known = forms.get(image.layers[index]!.diffId);
      return known?.find(({ digest }) => digest === own.digest) ?? known?.[0];
    },
    asHeld(sent) {
      const same = sameAs(sent.image).find(({ image }) =>
        image.layers.every(({ digest }, i) => digest === sent.layers[i]?.digest),
      );
      if (same?.image.manifest === undefined) return sent;
      const { manifest, layers } = same.image;
      return { ...sent, image: { ...sent.image, manifest, layers } };
    },
  };
}

/** By diff id: the blobs that it has, as its manifests say, or we know who loaded them. */
export function formsOf(
  held: EngineImages,
  catalog: readonly ReleaseRecord[],
  stored: readonly StoredImage[],
): Map<string, StoredLayer[]> {
  const forms = new Map<string, StoredLayer[]>();
  const add = (diffId: Digest, form: StoredLayer) => forms.set(diffId, [...(forms.get(diffId) ?? []), form]);
  for (const { image } of stored)
    for (const [i, { diffId }] of image.layers.entries()) add(diffId, formOf(image, i));
  for (const { diffId, digest, size, compression } of loadedByUs(held, catalog)) {
    // Records of an earlier dockerctl do not say how a layer is compressed.
    if (digest === diffId || compression !== undefined) add(diffId, { digest, size, compression });
  }
  return forms;
}

/** The layers of images that we loaded and that are still there. */
function loadedByUs(held: EngineImages, catalog: readonly ReleaseRecord[]): CatalogImage['layers'] {
  const ours = catalog.flatMap(({ images }) => images).filter(({ manifest }) => held.byId.has(manifest));
  return ours.flatMap(({ layers }) => layers);
}

/** It may have an image twice, under two manifests: the one that has a name of `image` comes first. */
function namedFirst<T extends { id: string }>(
  several: readonly T[],
  { references }: ArchiveImage,
  held: EngineImages,
): T[] {
  const named = new Set(references.map((reference) => held.byTag.get(reference)?.id));
  return several.toSorted((a, b) => Number(named.has(b.id)) - Number(named.has(a.id)));
}

function formOf({ layers }: ArchiveImage, index: number): StoredLayer {
  const { digest, diffId, size, mediaType } = layers[index]!;
  return { digest: digest ?? diffId, size, compression: compressionOf(mediaType) };
}
