import { resolve } from 'node:path';
import type { TrustedKeys } from '../../repository/signed/provenance.ts';
import type { Session } from '../context.ts';
import { deploymentIfAny } from './deployment-file.ts';

/** The option of every command that brings in or shows snapshots. */
export const signersOption = [
  '--signers <file>',
  'allowed signers, as ssh-keygen knows them, instead of those that the deployment file names',
] as const;

/** Whose snapshots to trust: `--signers`, else what the deployment file says, if there is one; and this host's own. */
export async function trustedKeys(session: Session, named: string | undefined): Promise<TrustedKeys> {
  const { ownFingerprint } = await import('../../backup/signing-key.ts');
  const backup = (await deploymentIfAny(session))?.backup;
  return {
    signers: named === undefined ? backup?.signers : resolve(session.io.workingDirectory, named),
    own: await ownFingerprint(backup?.signingKey),
  };
}
