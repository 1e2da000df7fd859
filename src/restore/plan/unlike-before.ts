import type { ReadableRepository } from '../../repository/repository.ts';
import { newestOwn } from '../../repository/signed/newest-own.ts';
import type { Provenance, TrustedKeys } from '../../repository/signed/provenance.ts';
import { madeBy } from '../../repository/snapshot/origin.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';

/**
 * Told of a snapshot that this host did not sign although it signed one before: whoever can write into a repository can
 * leave a signature out.
 */
export async function unlikeBefore(
  snapshot: Snapshot,
  { trust, fingerprint }: Provenance,
  repository: ReadableRepository,
  { own }: TrustedKeys,
): Promise<string[]> {
  if (trust !== 'foreign' || own === undefined) return [];
  const series = madeBy(await repository.snapshots(), snapshot);
  const before = series.filter(({ started }) => started < snapshot.started);
  const signed = await newestOwn(before, { key: own }, (one) => repository.signedConfig(one));
  if (signed === undefined) return [];
  const who = fingerprint === undefined ? 'not signed' : 'signed by another key';
  return [
    `snapshot ${shortId(signed.id)} before it is signed by this host, and this one is ${who}: somebody else may have made it`,
  ];
}
