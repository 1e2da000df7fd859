import type { Digest } from '../../oci/digest.ts';
import type { PackRef } from '../snapshot/manifest.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

const smallest = 64 * 1024 * 1024;
const mostPacks = 4096;

/**
 * Bytes at which a pack is full. Packs grow with the repository, so that a manifest that names all of them stays small
 * enough for registries.
 */
export function packGoal(stored: readonly StoredSnapshot[]): number {
  const packs = new Map<Digest, PackRef>(
    stored.flatMap(({ parts }) => parts.packs.map((pack) => [pack.digest, pack] as const)),
  );
  const total = [...packs.values()].reduce((sum, { size }) => sum + size, 0);
  return Math.max(smallest, Math.ceil(total / mostPacks));
}
