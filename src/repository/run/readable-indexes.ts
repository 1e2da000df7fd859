import { DamagedError } from '../../support/errors.ts';
import { freeNow } from '../../support/free-now.ts';
import { readIndexText } from '../packs/read-pack-index.ts';
import type { Store } from '../seal/store.ts';
import type { IndexRef } from '../snapshot/manifest.ts';

/**
 * Those of the indexes that can be read. What only the others tell of cannot be built on: a file that was taken over
 * unread would have content that nobody finds. Each is read once.
 * @param onDamage is told of the others
 */
export async function* readableIndexes(
  store: Store,
  indexes: AsyncIterable<IndexRef>,
  onDamage: (error: DamagedError) => void,
): AsyncGenerator<IndexRef> {
  const answers = new Map<string, boolean>();
  for await (const index of indexes) {
    const isReadable = answers.get(index.digest) ?? (await canBeRead(store, index, onDamage));
    answers.set(index.digest, isReadable);
    if (isReadable) yield index;
  }
}

async function canBeRead(
  store: Store,
  index: IndexRef,
  onDamage: (error: DamagedError) => void,
): Promise<boolean> {
  try {
    freeNow(await readIndexText(store, index));
    return true;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    onDamage(error);
    return false;
  }
}
