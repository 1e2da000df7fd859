import { SignatureError } from '../../support/errors.ts';
import {
  SshKeygenMissingError,
  signatureNamespaces,
  sshSignatureFingerprint,
  verifySshSignature,
} from '../../support/ssh-signature.ts';
import type { SignedConfig } from './signed-config.ts';

/** Whose snapshots this host takes for what they say they are. */
export interface TrustedKeys {
  /** Path of an allowed-signers file: what nobody in it signed is refused. */
  signers?: string | undefined;
  /** Fingerprint of the key that this host signs its own snapshots with. */
  own?: string | undefined;
}

/** Who made a snapshot, as far as its signature proves it. */
export interface Provenance {
  /**
   * `allowed`: one of the allowed signers. `own`: this host. `foreign`: nobody that this host was told to trust.
   * `refused`: nobody of those that it was told to ask for, or the signature is of something else.
   */
  trust: 'allowed' | 'own' | 'foreign' | 'refused';
  /** Of the key that signed exactly this config: `SHA256:…`. */
  fingerprint: string | undefined;
  /** The name that the allowed signers give to the key. */
  principal: string | undefined;
  /** Why it is refused, or why nobody is known to have made it; one line. */
  problem: string | undefined;
}

/** Each check waits for programs most of the time. */
export const checksAtOnce = 8;

/** For showing: whatever is wrong is told in the result. `what` names the snapshot. */
export async function provenanceOf(
  signed: SignedConfig,
  keys: TrustedKeys,
  what: string,
): Promise<Provenance> {
  try {
    return await requireProvenance(signed, keys, what);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    return { trust: 'refused', fingerprint: undefined, principal: undefined, problem: error.message };
  }
}

/**
 * For deciding: without allowed signers anybody may have made a snapshot, but nobody may have altered it since.
 * @throws {SignatureError} when allowed signers are asked for and none of them signed exactly this; in any case when
 * its signature is of something else
 */
export async function requireProvenance(
  signed: SignedConfig,
  keys: TrustedKeys,
  what: string,
): Promise<Provenance> {
  const { config, signature } = signed;
  if (signature === undefined) return unsigned(signed, keys, what);
  const armoured = Buffer.from(signature).toString('latin1');
  const namespace = signatureNamespaces.snapshot;
  if (keys.signers !== undefined) {
    const options = { allowedSigners: keys.signers, what, namespace };
    return { trust: 'allowed', ...(await verifySshSignature(config, armoured, options)), problem: undefined };
  }
  try {
    const fingerprint = await sshSignatureFingerprint(config, armoured, what, namespace);
    const trust = fingerprint === keys.own ? 'own' : 'foreign';
    return { trust, fingerprint, principal: undefined, problem: undefined };
  } catch (error) {
    if (!(error instanceof SshKeygenMissingError)) throw error;
    return foreign(`its signature cannot be checked here: ${error.message}`);
  }
}

function unsigned({ lost }: SignedConfig, { signers }: TrustedKeys, what: string): Provenance {
  if (signers === undefined) return foreign(lost ?? 'not signed');
  throw new SignatureError(`${what}: ${lost ?? 'it is not signed'}, and ${signers} says who must have`, {
    advice:
      'Take one that its host signed, as dockerctl backup list shows, or leave the signers out if you know where this one comes from',
    facts: { signers },
  });
}

function foreign(problem: string): Provenance {
  return { trust: 'foreign', fingerprint: undefined, principal: undefined, problem };
}
