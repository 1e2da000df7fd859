import type { Context } from '../../support/context.ts';
import { SignatureError } from '../../support/errors.ts';
import { openedBy } from '../seal/opened.ts';
import type { Store } from '../seal/store.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';

/**
 * The snapshots whose content can be looked into; which cannot, it warns of, before hours of reading.
 * @throws {SignatureError} when no key at hand opens any
 */
export function openedSnapshots(
  { directory, identities }: Store,
  { stored }: Catalog,
  { progress }: Context,
): StoredSnapshot[] {
  const opened = openedBy(identities, stored);
  const sealed = stored.filter((snapshot) => !opened.includes(snapshot)).map(({ snapshot }) => snapshot);
  const recipients = [...new Set(sealed.flatMap((snapshot) => snapshot.recipients))];
  const why = identities.length === 0 ? 'no private key is at hand' : 'no private key given opens it';
  if (opened.length === 0 && sealed.length > 0) {
    throw new SignatureError(`reading the data in ${directory}: it is encrypted, and ${why}`, {
      advice: 'Name the key with --identity FILE, or check digests only, which needs none',
      facts: { recipients },
    });
  }
  if (sealed.length > 0) {
    const ids = sealed.map(({ id }) => shortId(id)).join(', ');
    progress.warn(`digests only are checked of what is encrypted to ${recipients.join(', ')}: ${ids}`);
  }
  return opened;
}
