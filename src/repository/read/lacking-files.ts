import { blobName } from '../../oci/digest.ts';
import { blobSize } from '../../oci/layout-blobs.ts';
import type { Store } from '../seal/store.ts';
import type { BlobRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/**
 * Paths in the repository of what one source of a snapshot needs and what is missing or not as long as it should be.
 * Their digests are not looked at, so it takes no longer than a few thousand stats.
 */
export async function lackingFiles(store: Store, stored: StoredSnapshot, source: string): Promise<string[]> {
  const lacking: string[] = [];
  for (const { digest, size } of neededBy(stored, source))
    if ((await blobSize(store, digest)) !== size) lacking.push(blobName(digest));
  return lacking;
}

/** Each once. */
function neededBy({ parts, trees }: StoredSnapshot, source: string): Iterable<BlobRef> {
  const segments = trees.get(source) ?? [];
  const packs = segments.flatMap((segment) => segment.packs);
  const needed = new Set(packs.map(({ digest }) => digest));
  const indexes = parts.indexes.filter((index) => index.packs.some(({ digest }) => needed.has(digest)));
  return new Map([...segments, ...packs, ...indexes].map((blob) => [blob.digest, blob])).values();
}
