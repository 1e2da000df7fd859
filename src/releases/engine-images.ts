import type { ArchiveImage, ArchiveLayer } from '../archive/index/image-index.ts';
import type { Engine, EngineInfo, ImageDetails } from '../engine/engine.ts';
import { type Digest, digestOf, isDigest } from '../oci/digest.ts';
import type { ReleaseRecord } from './catalog/catalog.ts';

/** What the engine holds: how it was before a load, and what need not be sent. */
export interface EngineImages {
  store: EngineInfo['store'];
  all: ImageDetails[];
  /** By `name:tag`. */
  byTag: ReadonlyMap<string, ImageDetails>;
  byId: ReadonlyMap<string, ImageDetails>;
}

export async function engineImages(
  engine: Engine,
  { store }: Pick<EngineInfo, 'store'>,
): Promise<EngineImages> {
  const summaries = await engine.images.list();
  const details = await Promise.all(summaries.map(({ id }) => engine.images.inspect(id)));
  const all = details.filter((image) => image !== undefined);
  return {
    store,
    all,
    byTag: new Map(all.flatMap((image) => image.tags.map((tag) => [tag, image] as const))),
    byId: new Map(all.map((image) => [image.id, image])),
  };
}

/** The engine's own image, when it has this very one; `manifest` is that which it would be loaded with. */
export function heldImage(
  held: EngineImages,
  image: ArchiveImage,
  manifest: Digest,
): ImageDetails | undefined {
  return held.byId.get(held.store === 'classic' ? image.config.digest : manifest);
}

/** Whether `image` has exactly these layers. An image's id alone proves nothing: it differs between stores. */
export function hasLayers(image: ImageDetails | undefined, diffIds: readonly Digest[]): boolean {
  return (
    image !== undefined &&
    image.diffIds.length === diffIds.length &&
    image.diffIds.every((diffId, i) => diffId === diffIds[i])
  );
}

/**
 * Which layers need not be sent. The classic store finds a layer by the chain of layers below it; the containerd store by the
 * digest of its bytes, of which it tells us nothing: there we know of the images that we loaded ourselves.
 */
export function layerFinder(
  held: EngineImages,
  catalog: readonly ReleaseRecord[],
): (image: ArchiveImage, layer: ArchiveLayer, index: number, digest: Digest) => boolean {
  if (held.store === 'classic') {
    const chains = new Set(held.all.flatMap(({ diffIds }) => chainIds(diffIds as Digest[])));
    const chainsOf = memoized((image: ArchiveImage) => chainIds(image.layers.map(({ diffId }) => diffId)));
    return (image, _layer, index) => chains.has(chainsOf(image)[index]!);
  }
  const digests = knownDigests(held, catalog);
  return (_image, _layer, _index, digest) => digests.has(digest);
}

/** Of the layers that a containerd store holds, those whose bytes we know: we loaded them, and their image is still there. */
function knownDigests(held: EngineImages, catalog: readonly ReleaseRecord[]): Set<Digest> {
  const ours = catalog.flatMap(({ images }) => images).filter(({ manifest }) => held.byId.has(manifest));
  return new Set(ours.flatMap(({ layers }) => layers.map(({ digest }) => digest)));
}

/**
 * The lowest layers of an image that an engine finds again in a bundle, where layers are uncompressed. The containerd store may
 * hold them compressed, and does not tell.
 */
export function layersFoundAgain(
  image: ImageDetails,
  held: EngineImages,
  catalog: readonly ReleaseRecord[],
): Digest[] {
  const diffIds = image.diffIds.filter(isDigest);
  if (held.store === 'classic') return diffIds;
  const digests = knownDigests(held, catalog);
  const end = diffIds.findIndex((diffId) => !digests.has(diffId));
  return end === -1 ? diffIds : diffIds.slice(0, end);
}

/** What names each layer of an image together with those below it (OCI Image Format 1.1, "Layer ChainID"). */
function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds)
    chain.push(chain.length === 0 ? diffId : digestOf(`${chain.at(-1)} ${diffId}`));
  return chain;
}

function memoized<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { value: V }>();
  return (key) => {
    const found = known.get(key) ?? { value: compute(key) };
    known.set(key, found);
    return found.value;
  };
}
