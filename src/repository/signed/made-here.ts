import { SignatureError } from '../../support/errors.ts';
import { fingerprintIn } from '../../support/ssh-fingerprint.ts';
import type { Store } from '../seal/store.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { requireProvenance } from './provenance.ts';
import { readSignedConfig, type SignedConfig } from './signed-config.ts';

/**
 * Whether a snapshot was made in this repository and signed with this key, so that all of it is as its host saw it.
 * The manifest tells where the content lies, and is not signed: anybody may have written that of what was carried in.
 */
export async function wasMadeHere(
  fingerprint: string,
  { snapshot, parts }: StoredSnapshot,
  store: Store,
): Promise<boolean> {
  return !parts.carried && isSignedBy(fingerprint, snapshot.id, await readSignedConfig(store, parts));
}

/** Whether this key signed it: then every file in it is as its host saw it, wherever it lay since. */
export async function isSignedBy(fingerprint: string, id: string, signed: SignedConfig): Promise<boolean> {
  try {
    if (signed.signature === undefined || claimedKey(signed.signature) !== fingerprint) return false;
    return (await requireProvenance(signed, { own: fingerprint }, `snapshot ${shortId(id)}`)).trust === 'own';
  } catch (error) {
    if (error instanceof SignatureError) return false;
    throw error;
  }
}

/** Spares the check where it cannot end well: after a change of keys that is every snapshot there is. */
function claimedKey(signature: Uint8Array): string {
  return fingerprintIn(Buffer.from(signature).toString('latin1'));
}
