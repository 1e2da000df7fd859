import { isDigest } from '../../oci/digest.ts';
import { readBlob } from '../../oci/layout-blobs.ts';
import { unlessDamaged } from '../../support/unless-damaged.ts';
import type { Store } from '../seal/store.ts';
import type { LostSnapshot } from '../snapshot/catalog.ts';
import { decodeConfig } from '../snapshot/config.ts';
import { decodeManifest } from '../snapshot/manifest.ts';
import { configLimit, manifestLimit } from '../snapshot/media-types.ts';

/**
 * `source:every file` for each source of a snapshot of which the config or the manifest cannot be read, as the other
 * one tells.
 */
export async function filesOfLostSnapshot(store: Store, lost: LostSnapshot): Promise<string[]> {
  const sources = (await sourcesOfConfig(store, lost)) ?? (await sourcesOfManifest(store, lost)) ?? [];
  return [...sources].map((source) => `${source}:every file`);
}

async function sourcesOfConfig(store: Store, { id }: LostSnapshot): Promise<Iterable<string> | undefined> {
  return unlessDamaged(async () => {
    if (!isDigest(id)) return undefined;
    return decodeConfig(await readBlob(store, id, configLimit), id).trees.keys();
  });
}

async function sourcesOfManifest(
  store: Store,
  { manifest }: LostSnapshot,
): Promise<Iterable<string> | undefined> {
  return unlessDamaged(async () => {
    const { trees } = decodeManifest(await readBlob(store, manifest, manifestLimit), manifest);
    return new Set(trees.map(({ source }) => source));
  });
}
