import type { Repository } from '../repository/repository.ts';
import { provenanceOf } from '../repository/signed/provenance.ts';
import { shortId } from '../repository/snapshot/short-id.ts';
import type { Snapshot } from '../repository/snapshot/snapshot.ts';
import type { Context } from '../support/context.ts';
import { messageOf } from '../support/errors.ts';

/**
 * The day on which it must be restored is too late to learn that the signers do not know this host's own key. The
 * snapshot is made by now: what goes wrong here is a warning too.
 */
export async function warnIfRefused(
  snapshot: Snapshot,
  repository: Repository,
  signers: string | undefined,
  { progress }: Context,
): Promise<void> {
  if (signers === undefined) return;
  try {
    const signed = await repository.signedConfig(snapshot);
    const { trust, problem } = await provenanceOf(signed, { signers }, `snapshot ${shortId(snapshot.id)}`);
    if (trust === 'refused') progress.warn(`this snapshot could not be restored here: ${problem}`);
  } catch (error) {
    progress.warn(`nobody knows whether this snapshot could be restored here: ${messageOf(error)}`);
  }
}
