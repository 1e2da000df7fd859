import type { StoredSnapshot } from '../snapshot/stored.ts';
import { PlainCache } from './plain-cache.ts';

/**
 * The id of a repository by which this host remembers what it wrote there: the newest snapshot may have been taken in, with the
 * id of where it was made.
 * @param stored oldest first
 * @returns `undefined` when there is no snapshot
 */
export async function knownRepository(
  stateDir: string,
  stored: readonly StoredSnapshot[],
): Promise<string | undefined> {
  const ids = new Set(stored.map(({ repository }) => repository).reverse());
  for (const id of ids) if ((await new PlainCache(stateDir, id).digests()).size > 0) return id;
  return stored.at(-1)?.repository;
}
