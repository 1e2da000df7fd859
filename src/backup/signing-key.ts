import { access, constants } from 'node:fs/promises';
import { type SigningKey, trySigningKey } from '../repository/signed/signing-key.ts';
import { codeOf, messageOf, SignatureError } from '../support/errors.ts';
import { sshKeyFingerprint } from '../support/ssh-fingerprint.ts';

/** What a host proves its identity with to those who log in; root alone can read it. */
export const hostKey = '/etc/ssh/ssh_host_ed25519_key';

/** A path as the deployment file says; `false`: nothing is signed; `undefined`: the host's own. */
export type SigningKeySetting = string | false | undefined;

/** With which key snapshots are signed, or why with none. */
export interface Signing {
  /** `undefined`: snapshots are not signed. */
  key: SigningKey | undefined;
  /** Why they are not, unless nobody wants them to be. */
  lacking: string | undefined;
}

/**
 * The key that signs snapshots, found to work now, not after hours of reading.
 * @throws {SignatureError} when the deployment file names one that cannot be used
 */
export async function chooseSigningKey(setting: SigningKeySetting, own: string = hostKey): Promise<Signing> {
  if (setting === false) return { key: undefined, lacking: undefined };
  if (setting !== undefined) return { key: await trySigningKey(setting), lacking: undefined };
  try {
    await access(own, constants.R_OK);
    return { key: await trySigningKey(own), lacking: undefined };
  } catch (error) {
    return { key: undefined, lacking: whyUnusable(own, error) };
  }
}

/**
 * Of the key that this host signs with: by its public half, which everybody can read, or where that does not lie beside
 * the key by what it signs.
 */
export async function ownFingerprint(
  setting: SigningKeySetting,
  own: string = hostKey,
): Promise<string | undefined> {
  if (setting === false) return undefined;
  const told = await sshKeyFingerprint(`${(setting ?? own).replace(/\.pub$/, '')}.pub`);
  if (told !== undefined || setting === undefined) return told;
  return (await trySigningKey(setting).catch(unlessUnusable))?.fingerprint;
}

function unlessUnusable(error: unknown): undefined {
  if (!(error instanceof SignatureError)) throw error;
}

function whyUnusable(key: string, error: unknown): string {
  if (error instanceof SignatureError) return messageOf(error);
  return codeOf(error) === 'ENOENT' ? 'this host has no SSH key' : `${key} cannot be read`;
}
