import type { ArchiveImage } from '../../archive/index/image-index.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { EngineImages } from '../engine-images.ts';
import type { Holdings } from './holdings.ts';

/** The classic store finds a layer by the chain of layers below it, and an image by its config. */
export function classicHoldings(held: EngineImages): Holdings {
  const chains = new Set(held.all.flatMap(({ diffIds }) => chainIds(diffIds as Digest[])));
  const chainsOf = memoized((image: ArchiveImage) => chainIds(image.layers.map(({ diffId }) => diffId)));
  return {
    image: (image) => held.byId.get(image.config.digest),
    layer: (image, index, own) => (chains.has(chainsOf(image)[index]!) ? own : undefined),
    asHeld: (sent) => sent,
  };
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
