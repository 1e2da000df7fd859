import { fingerprintIn } from '../../support/ssh-fingerprint.ts';
import { type SignatureNamespace, signatureNamespaces, signWithSshKey } from '../../support/ssh-signature.ts';

/** What signs snapshots, found to work. */
export interface SigningKey {
  /** Of the private key; or of the public one, of which an agent holds the private half. */
  file: string;
  /** `SHA256:…` of its public half. */
  fingerprint: string;
}

const namespace: SignatureNamespace = signatureNamespaces.snapshot;

/**
 * Signs something with it now, which tells whether it can and whose it is, whatever lies beside it.
 * @throws {SignatureError} when it cannot be used
 */
export async function trySigningKey(file: string): Promise<SigningKey> {
  return { file, fingerprint: fingerprintIn(await signWithSshKey('can it sign?', file, namespace)) };
}

/** The armoured signature over a config. @throws {SignatureError} when the key cannot be used */
export async function signConfig(config: Uint8Array, { file }: SigningKey): Promise<Buffer> {
  return Buffer.from(await signWithSshKey(config, file, namespace), 'latin1');
}
