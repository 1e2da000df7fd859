import type { Digest } from '../../oci/digest.ts';
import { blobSize } from '../../oci/layout-blobs.ts';
import { NoSpaceError } from '../../support/errors.ts';
import { freeSpaceAt } from '../../support/free-space.ts';
import { formatBytes } from '../../support/quantities.ts';
import type { Store } from '../seal/store.ts';
import { type BlobRef, blobsOfParts, type Parts } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/**
 * A snapshot that is here, with a manifest that was issued anew, needs other blobs than the incoming manifest names:
 * all that this can bring is a signature.
 * @param manifests the incoming one, as it comes and as it would be kept
 */
export function whatItBrings(
  parts: Parts,
  manifests: readonly Digest[],
  existing: StoredSnapshot | undefined,
): { wanted: BlobRef[]; tells: Parts; brings: BlobRef | undefined } {
  if (existing === undefined || manifests.includes(existing.manifest.digest)) {
    return { wanted: blobsOfParts(parts), tells: parts, brings: undefined };
  }
  const brings = existing.parts.signature === undefined ? parts.signature : undefined;
  if (brings === undefined) return { wanted: [], tells: existing.parts, brings };
  return { wanted: [brings], tells: parts, brings };
}

/** Of these blobs, in their order: what is not here, not as long as it should be, or known to be damaged. */
export async function lackingBlobs(
  blobs: readonly BlobRef[],
  { store, damaged }: { store: Store; damaged: ReadonlySet<Digest> },
): Promise<BlobRef[]> {
  const lacking: BlobRef[] = [];
  for (const blob of blobs) {
    const isHere = (await blobSize(store, blob.digest)) === blob.size;
    if (!isHere || damaged.has(blob.digest)) lacking.push(blob);
  }
  return lacking;
}

/** @throws {NoSpaceError} when what is lacking does not fit on the disk */
export async function requireRoom({ directory }: Store, lacking: readonly BlobRef[]): Promise<void> {
  const wanted = lacking.reduce((sum, { size }) => sum + size, 0);
  const free = await freeSpaceAt(directory);
  if (wanted <= free) return;
  const [needed, left] = [wanted, free].map(formatBytes);
  throw new NoSpaceError(`taking in a snapshot: it needs ${needed} in ${directory}, and ${left} are free`, {
    advice: 'Make room there, for example with dockerctl backup prune, and do it again',
    facts: { path: directory, wanted, free },
  });
}
