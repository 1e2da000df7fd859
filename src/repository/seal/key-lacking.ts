import { SignatureError } from '../../support/errors.ts';
import { shortId } from '../snapshot/short-id.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Store } from './store.ts';

/** Passes on what is read of a snapshot; where no key opens it, that says which one does. */
export async function* namingLackedKey<T>(
  read: AsyncIterable<T>,
  snapshot: Snapshot,
  store: Store,
): AsyncGenerator<T> {
  try {
    yield* read;
  } catch (error) {
    throw error instanceof SignatureError ? keyLacking(snapshot, store, error) : error;
  }
}

/** Which key is wanted to read a snapshot: whoever brings it may have several. */
function keyLacking(
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
