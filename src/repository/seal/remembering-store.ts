import type { StoredSnapshot } from '../snapshot/stored.ts';
import { knownRepository } from './known-repository.ts';
import { PlainCache } from './plain-cache.ts';
import type { Store } from './store.ts';

/** The store that writes blobs sealed to these recipients, and remembers what is in them if they are. */
export function storeSealingTo(
  recipients: Store['recipients'],
  store: Store,
  repository: string,
  stateDir: string,
): Store {
  const cache = recipients.length === 0 ? undefined : new PlainCache(stateDir, repository);
  return { ...store, recipients, cache };
}

/** So that the next run of a host without a key knows what is in an index that was written anew. */
export async function rememberingStore(
  store: Store,
  stored: readonly StoredSnapshot[],
  stateDir: string,
): Promise<Store> {
  if (store.identities.length === 0) return store;
  const repository = await knownRepository(stateDir, stored);
  return repository === undefined ? store : { ...store, cache: new PlainCache(stateDir, repository) };
}

/** With what this host remembers of its own backups: it decides nothing, but it knows names where no key is at hand. */
export async function recallingStore(
  store: Store,
  stored: readonly StoredSnapshot[],
  stateDir: string,
): Promise<Store> {
  const repository = await knownRepository(stateDir, stored);
  if (repository === undefined) return store;
  const cache = new PlainCache(stateDir, repository);
  return (await cache.digests()).size > 0 ? { ...store, cache } : store;
}
