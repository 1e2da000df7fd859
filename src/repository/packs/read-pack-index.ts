import type { Digest } from '../../oci/digest.ts';
import { freeNow } from '../../support/free-now.ts';
import { readMetadata } from '../blobs/metadata.ts';
import type { Store } from '../seal/store.ts';
import { decodeIndex, type Index, longestLine } from './index-lines.ts';
import { indexGoal } from './stage-indexes.ts';

/** No index is longer, in bytes: the longest line behind one that is almost full. */
const indexLimit = indexGoal + longestLine;

/**
 * What an index tells of packs.
 * @throws {DamagedError} @throws {SignatureError} when it is sealed and no key opens it
 */
export async function readPackIndex(store: Store, { digest }: { digest: Digest }): Promise<Index> {
  const text = await readIndexText(store, { digest });
  try {
    return decodeIndex(text, `index ${digest}`);
  } finally {
    freeNow(text);
  }
}

/** Its lines as they are. Throws as `readPackIndex` does. */
export function readIndexText(store: Store, index: { digest: Digest }): Promise<Buffer> {
  return readMetadata(store, index, indexLimit);
}
