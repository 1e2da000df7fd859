import type { EngineInfo } from '../../engine/engine.ts';
import { isDigest } from '../../oci/digest.ts';
import type { CatalogImage, ReleaseRecord } from '../catalog/catalog.ts';
import type { ReplacedTag } from './load.ts';
import { manifestOf, type SentImage } from './stream/documents.ts';

/** What the catalog keeps of images that were loaded. */
export function recordOf(
  release: string,
  sent: readonly SentImage[],
  moved: readonly ReplacedTag[],
  store: EngineInfo['store'],
  now: Date,
): ReleaseRecord {
  const images = sent.map(({ image, layers, held }): CatalogImage => {
    const replaced = moved
      .filter(({ reference }) => image.references.includes(reference))
      .map(({ reference, from }) => ({ reference, id: from }));
    // It may be that of an index, which leads to the manifest.
    const onContainerd = store === 'containerd' && isDigest(held?.id) ? held.id : undefined;
    return {
      references: image.references,
      platform: image.platform,
      config: image.config.digest,
      manifest: onContainerd ?? manifestOf(image, layers).descriptor.digest,
      layers: layers.map(({ diffId, digest, size, compression }) => ({ diffId, digest, size, compression })),
      ...(replaced.length > 0 && { replaced }),
    };
  });
  return { release, loaded: now.toISOString(), images };
}

/** A release may come in several archives: images add up, a reference belongs to the one that was loaded last. */
export function mergedRecord(known: ReleaseRecord | undefined, added: ReleaseRecord): ReleaseRecord {
  const taken = new Set(added.images.flatMap(({ references }) => references));
  const configs = new Map(added.images.map((image) => [image.config, image]));
  const kept: CatalogImage[] = [];
  for (const image of known?.images ?? []) {
    const again = configs.get(image.config);
    const references = image.references.filter((reference) => !taken.has(reference));
    if (again === undefined) {
      if (references.length > 0) kept.push({ ...image, references });
      continue;
    }
    again.references = [...again.references, ...references];
    const replaced = [...(image.replaced ?? []), ...(again.replaced ?? [])];
    if (replaced.length > 0) again.replaced = replaced;
  }
  return { ...added, images: [...kept, ...added.images] };
}
