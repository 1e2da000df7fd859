import type { Digest } from '../../oci/digest.ts';
import { blobsOf } from '../snapshot/stored.ts';
import { readDamageInside } from './damage-record.ts';
import type { Verifying } from './verifying.ts';

/**
 * Tells again of damage that no digest shows, found by an earlier check that read what is in a blob: as long as a
 * snapshot needs that blob, nothing has become better of itself.
 * @param read blobs of which this check looked what is in them
 */
export async function recallDamage(
  { store, catalog, found, context }: Verifying,
  read: ReadonlySet<Digest>,
): Promise<void> {
  const needed = new Set(catalog.stored.flatMap(blobsOf).map(({ digest }) => digest));
  const known = await readDamageInside(context.stateDir, store.directory);
  const message = 'what is in it was found damaged when it was last read';
  for (const digest of known.intersection(needed).difference(read).difference(found.blobs))
    found.add({ digest, message, inside: true });
}
