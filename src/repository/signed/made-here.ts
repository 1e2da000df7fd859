import { SignatureError } from '../../support/errors.ts';
import { fingerprintIn } from '../../support/ssh-fingerprint.ts';
import type { Store } from '../seal/store.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { requireProvenance } from './provenance.ts';
import { readSignedConfig } from './signed-config.ts';

/**
 * Whether a snapshot was made in this repository and signed with this key, so that all of it is as its host saw it. Where content is
 * tells the manifest, which is not signed: of what was carried in anybody may have told that.
 */
export async function wasMadeHere(
  fingerprint: string,
  { snapshot, parts }: StoredSnapshot,
  store: Store,
): Promise<boolean> {
  if (parts.carried) return false;
  try {
    const signed = await readSignedConfig(store, parts);
    if (signed.signature === undefined || claimedKey(signed.signature) !== fingerprint) return false;
    const what = `snapshot ${shortId(snapshot.id)}`;
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
