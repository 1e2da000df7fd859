import type { ReleaseDocument } from '../../archive/index/release-document.ts';
import type { Digest } from '../../oci/digest.ts';
import { NotFoundError } from '../../support/errors.ts';
import type { ReleaseRecord } from '../catalog/catalog.ts';

/** What a receiver has: a release by its name, when it has one, and the layers of each image, lowest first. */
export interface DeltaBase {
  release: string | undefined;
  images: readonly { layers: readonly Digest[] }[];
}

/**
 * The layers that need not be sent. An engine finds a layer by the chain of layers below it, so one is left out only
 * where some image of the base begins with the same layers up to it, and only if that is so in every image that needs
 * it.
 */
export function layersToLeaveOut(
  images: readonly { layers: readonly Digest[] }[],
  base: DeltaBase | undefined,
): Set<Digest> {
  if (base === undefined) return new Set();
  const held = chainsOf(base.images);
  const shared = new Set<Digest>();
  const needed = new Set<Digest>();
  for (const { layers } of images) {
    for (const [i, layer] of layers.entries()) (held.has(chainKey(layers, i)) ? shared : needed).add(layer);
  }
  return shared.difference(needed);
}

/** @param missing diff ids of layers that the bundle leaves out and the engine lacks; at least one */
export function missingBase(
  document: ReleaseDocument,
  missing: readonly Digest[],
  what: string,
): NotFoundError {
  const release = document.base?.release;
  const from =
    release === undefined ? 'images that this host lacks' : `release ${release}, which this host lacks`;
  const layers = `${missing.length} layer${missing.length === 1 ? '' : 's'}`;
  return new NotFoundError(`${what}: is a delta to ${from}: ${layers} missing, the first ${missing[0]}`, {
    advice: `Load ${release === undefined ? 'those images' : `release ${release}`} first, or a bundle made without --since`,
    facts: { release, layers: missing },
  });
}

/** Who has this release, as the base of a delta. */
export function baseOfRelease({ release, images }: ReleaseRecord): DeltaBase {
  return { release, images: images.map(({ layers }) => ({ layers: layers.map(({ diffId }) => diffId) })) };
}

function chainsOf(images: readonly { layers: readonly string[] }[]): Set<string> {
  return new Set(images.flatMap(({ layers }) => layers.map((_, i) => chainKey(layers, i))));
}

/** The layers up to the i-th, in one string. */
function chainKey(layers: readonly string[], i: number): string {
  return layers.slice(0, i + 1).join(' ');
}
