import { mapAFew } from '../../support/map-a-few.ts';
import type { Store } from '../seal/store.ts';
import { checksAtOnce, provenanceOf } from '../signed/provenance.ts';
import { readSignedConfig } from '../signed/signed-config.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { DamageReport } from './damage-report.ts';

/**
 * Tells of signatures that are whole but of something else: whoever restores or takes in such a snapshot refuses it.
 * Whose they are is not asked here, and where no ssh-keygen is, nothing is found.
 */
export async function checkSignatures(store: Store, { stored }: Catalog, found: DamageReport): Promise<void> {
  const signed = stored.filter(({ parts: { signature } }) => signature && !found.blobs.has(signature.digest));
  const checked = await mapAFew(signed, checksAtOnce, async ({ snapshot, parts }) => {
    const read = await readSignedConfig(store, parts);
    return { parts, ...(await provenanceOf(read, {}, `snapshot ${shortId(snapshot.id)}`)) };
  });
  for (const { parts, trust, problem = '' } of checked)
    if (trust === 'refused') found.add({ digest: parts.signature!.digest, message: problem });
}
