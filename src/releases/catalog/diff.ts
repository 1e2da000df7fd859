import type { Digest } from '../../oci/digest.ts';
import type { CatalogImage, ReleaseRecord } from './catalog.ts';

/** What lies between two releases. */
export interface ReleaseDiff {
  from: string;
  to: string;
  images: { added: string[]; removed: string[]; changed: string[]; unchanged: string[] };
  layers: { added: LayerSum; removed: LayerSum; shared: LayerSum };
}

export interface LayerSum {
  count: number;
  /** As they were loaded. */
  bytes: number;
}

/**
 * Compares two releases: images by their names without tags, for those differ between releases by nature, and layers by
 * their diff ids.
 */
export function diffReleases(from: ReleaseRecord, to: ReleaseRecord): ReleaseDiff {
  const [before, after] = [imagesByName(from), imagesByName(to)];
  const both = [...after.keys()].filter((name) => before.has(name)).sort();
  const isSame = (name: string) => before.get(name)!.config === after.get(name)!.config;
  const [old, now] = [layersOf(from), layersOf(to)];
  return {
    from: from.release,
    to: to.release,
    images: {
      added: [...after.keys()].filter((name) => !before.has(name)).sort(),
      removed: [...before.keys()].filter((name) => !after.has(name)).sort(),
      changed: both.filter((name) => !isSame(name)),
      unchanged: both.filter(isSame),
    },
    layers: {
      added: sum([...now].filter(([diffId]) => !old.has(diffId))),
      removed: sum([...old].filter(([diffId]) => !now.has(diffId))),
      shared: sum([...now].filter(([diffId]) => old.has(diffId))),
    },
  };
}

function imagesByName({ release, images }: ReleaseRecord): Map<string, CatalogImage> {
  return new Map(
    images.flatMap((image) =>
      image.references.length === 0
        ? [[image.config, image] as const]
        : image.references.map((reference) => [nameWithout(reference, release), image] as const),
    ),
  );
}

/** `shop/web:1.4` of release 1.4 is `shop/web`; so is `fuel/nginx_6.1:latest` of 6.1 `fuel/nginx:latest`. */
function nameWithout(reference: string, release: string): string {
  const name = reference.endsWith(`:${release}`) ? reference.slice(0, -release.length - 1) : reference;
  return name.replace(new RegExp(`[-_]${RegExp.escape(release)}(?=:|$)`), '');
}

function layersOf({ images }: ReleaseRecord): Map<Digest, number> {
  return new Map(images.flatMap(({ layers }) => layers.map(({ diffId, size }) => [diffId, size] as const)));
}

function sum(layers: readonly (readonly [Digest, number])[]): LayerSum {
  return { count: layers.length, bytes: layers.reduce((total, [, size]) => total + size, 0) };
}
