import { SignatureError } from '../../support/errors.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Store } from './store.ts';

/** Which key is wanted to read a snapshot: whoever brings it may have several. */
export function keyLacking(
  { id, recipients }: Snapshot,
  { identities }: Store,
  cause: SignatureError,
): SignatureError {
  const isWrong = identities.length > 0;
  const why = isWrong ? 'no private key given opens it' : 'it is encrypted, and no private key is at hand';
  return new SignatureError(`reading snapshot ${shortId(id)}: ${why}`, {
    advice: `Give the private key of ${recipients.join(' or ')} with --identity FILE`,
    facts: { recipients },
    cause,
  });
}
