import { encodeRecipient, type Identity } from '../age/keys.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/** The snapshots that anybody may look into, or whoever has one of these keys, as they say themselves. */
export function openedBy(
  identities: readonly Identity[],
  stored: readonly StoredSnapshot[],
): StoredSnapshot[] {
  const keys = new Set(identities.map(encodeRecipient));
  return stored.filter(({ snapshot: { recipients } }) => {
    return recipients.length === 0 || recipients.some((recipient) => keys.has(recipient));
  });
}
