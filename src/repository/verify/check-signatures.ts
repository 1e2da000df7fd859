import type { Store } from '../seal/store.ts';
import { provenanceOf } from '../signed/provenance.ts';
import { readSignedConfig } from '../signed/signed-config.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { DamageReport } from './damage-report.ts';

/**
 * Tells of signatures that are whole but of something else: whoever restores or takes in such a snapshot refuses it. Whose they
 * are is not asked here, and where no ssh-keygen is, nothing is found.
 */
export async function checkSignatures(store: Store, { stored }: Catalog, found: DamageReport): Promise<void> {
  for (const { snapshot, parts } of stored) {
    if (parts.signature === undefined || found.blobs.has(parts.signature.digest)) continue;
    const signed = await readSignedConfig(store, parts);
    const { trust, problem = '' } = await provenanceOf(signed, {}, `snapshot ${shortId(snapshot.id)}`);
    if (trust === 'refused') await found.add({ digest: parts.signature.digest, message: problem });
  }
}
