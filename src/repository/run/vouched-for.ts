import { mapAFew } from '../../support/map-a-few.ts';
import type { Store } from '../seal/store.ts';
import { wasMadeHere } from '../signed/made-here.ts';
import { checksAtOnce } from '../signed/provenance.ts';
import type { SigningKey } from '../signed/signing-key.ts';
import type { IndexRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/**
 * Whether a run may build on a snapshot: take files over without reading them, and leave out content that is in its
 * packs.
 */
export type VouchedFor = (stored: StoredSnapshot) => Promise<boolean>;

/**
 * What a signed snapshot takes over is as this host saw it: so its key says. Whatever that comes from must have been
 * made here with the same key, lest somebody who can add to the repository has his content signed, or has content left
 * out that he only claims to have brought. Without a key nothing is promised. Each snapshot is asked about once.
 */
export function vouchedForBy(key: SigningKey | undefined, store: Store): VouchedFor {
  const answers = new Map<string, Promise<boolean>>();
  return async (stored) => {
    if (key === undefined) return true;
    const { id } = stored.snapshot;
    const answer = answers.get(id) ?? wasMadeHere(key.fingerprint, stored, store);
    answers.set(id, answer);
    return answer;
  };
}

/** What tells of packs that can be built on; each snapshot is asked about when its turn comes. */
export async function* indexesOneByOne(
  stored: readonly StoredSnapshot[],
  vouchedFor: VouchedFor,
): AsyncGenerator<IndexRef> {
  for (const each of stored) if (await vouchedFor(each)) yield* each.parts.indexes;
}

/** The same of all at once. */
export async function everyIndex(
  stored: readonly StoredSnapshot[],
  vouchedFor: VouchedFor,
): Promise<IndexRef[]> {
  await mapAFew(stored, checksAtOnce, vouchedFor);
  return Array.fromAsync(indexesOneByOne(stored, vouchedFor));
}
