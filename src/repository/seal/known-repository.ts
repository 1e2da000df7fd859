import type { StoredSnapshot } from '../snapshot/stored.ts';
import { PlainCache } from './plain-cache.ts';

/**
 * The id of a repository by which this host remembers what it wrote there. A snapshot that was carried in has the id
 * of where it was made, by which this host may remember another repository: it counts where there is no other.
 * @param stored oldest first
 * @returns `undefined` when there is no snapshot
 */
export async function knownRepository(
  stateDir: string,
  stored: readonly StoredSnapshot[],
): Promise<string | undefined> {
  const made = stored.filter(({ parts }) => !parts.carried);
  const newestFirst = (made.length > 0 ? made : stored).toReversed();
  const ids = new Set(newestFirst.map(({ repository }) => repository));
  for (const id of ids) if ((await new PlainCache(stateDir, id).digests()).size > 0) return id;
  return newestFirst[0]?.repository;
}
