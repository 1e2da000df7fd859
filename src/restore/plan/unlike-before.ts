import type { ReadableRepository } from '../../repository/repository.ts';
import { type Provenance, provenanceOf, type TrustedKeys } from '../../repository/signed/provenance.ts';
import { madeBy } from '../../repository/snapshot/origin.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';

/**
 * Told of a snapshot that this host did not sign although it signed the one before: whoever can write into a repository
 * can leave a signature out.
 */
export async function unlikeBefore(
  snapshot: Snapshot,
  { trust, fingerprint }: Provenance,
  repository: ReadableRepository,
  { own }: TrustedKeys,
): Promise<string[]> {
  if (trust !== 'foreign' || own === undefined) return [];
  const series = madeBy(await repository.snapshots(), snapshot);
  const before = series.findLast(({ started }) => started < snapshot.started);
  if (before === undefined) return [];
  const id = shortId(before.id);
  const signed = await repository.signedConfig(before);
  if ((await provenanceOf(signed, { own }, `snapshot ${id}`)).trust !== 'own') return [];
  const who = fingerprint === undefined ? 'not signed' : 'signed by another key';
  return [
    `the snapshot before it, ${id}, is signed by this host, and this one is ${who}: somebody else may have made it`,
  ];
}
