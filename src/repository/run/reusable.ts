import { encodeRecipient } from '../age/keys.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/**
 * The snapshots whose blobs a new one may share. Whoever is to open the new one must be able to open them: a snapshot
 * names who can open all of its blobs, however old they are, because this rule held when it was made. And we must
 * know what is inside: by the cache, or by a private key.
 */
export async function selectReusable(
  store: Store,
  stored: readonly StoredSnapshot[],
): Promise<StoredSnapshot[]> {
  const wanted = store.recipients.map(encodeRecipient);
  if (wanted.length === 0) return stored.filter(({ snapshot }) => snapshot.recipients.length === 0);
  const sealedToAll = stored.filter(({ snapshot }) => {
    return wanted.every((recipient) => snapshot.recipients.includes(recipient));
  });
  if (store.identities.length > 0) return sealedToAll;
  const known = (await store.cache?.digests()) ?? new Set();
  return sealedToAll.filter(({ parts }) => {
    return [...parts.indexes, ...parts.trees].every(({ digest }) => known.has(digest));
  });
}
