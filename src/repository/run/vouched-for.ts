import { SignatureError } from '../../support/errors.ts';
import { fingerprintIn } from '../../support/ssh-fingerprint.ts';
import type { Store } from '../seal/store.ts';
import { requireProvenance } from '../signed/provenance.ts';
import { readSignedConfig } from '../signed/signed-config.ts';
import type { SigningKey } from '../signed/signing-key.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/** Whether a run may take over files of a snapshot without reading them. */
export type VouchedFor = (stored: StoredSnapshot) => Promise<boolean>;

/**
 * Of what a signed snapshot takes over its key says that it is as this host saw it: that must be signed by the same key, lest somebody
 * who can write into the repository has his content signed. Without a key nothing is promised. Each snapshot is asked about once.
 */
export function vouchedForBy(key: SigningKey | undefined, store: Store): VouchedFor {
  const answers = new Map<string, Promise<boolean>>();
  return async (stored) => {
    if (key === undefined) return true;
    const { id } = stored.snapshot;
    const answer = answers.get(id) ?? isSignedBy(key, stored, store);
    answers.set(id, answer);
    return answer;
  };
}

async function isSignedBy(
  { fingerprint }: SigningKey,
  stored: StoredSnapshot,
  store: Store,
): Promise<boolean> {
  try {
    const signed = await readSignedConfig(store, stored.parts);
    if (signed.signature === undefined || claimedKey(signed.signature) !== fingerprint) return false;
    const what = `snapshot ${shortId(stored.snapshot.id)}`;
    return (await requireProvenance(signed, { own: fingerprint }, what)).trust === 'own';
  } catch (error) {
    if (error instanceof SignatureError) return false;
    throw error;
  }
}

/** Spares the check where it cannot end well: after a change of keys that is every snapshot there is. */
function claimedKey(signature: Uint8Array): string {
  return fingerprintIn(Buffer.from(signature).toString('latin1'));
}
