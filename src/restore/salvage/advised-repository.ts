import { delegate } from '../../repository/delegate.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import { DamagedError } from '../../support/errors.ts';

/** How a restore can come past damage. */
export const pastDamage =
  'Another snapshot may be whole, and dockerctl backup repair may mend this one; --skip-damaged restores what can be read';

/** The same repository; what it throws where something cannot be read says how a restore can come past that. */
export function advisedRepository(repository: ReadableRepository): ReadableRepository {
  return delegate(repository, {
    entries: (snapshot, source, onGap) => advised(repository.entries(snapshot, source, onGap)),
    content: (snapshot, entry, options) => advised(repository.content(snapshot, entry, options)),
  });
}

async function* advised<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    throw new DamagedError(error.message, { facts: error.facts, cause: error, advice: pastDamage });
  }
}
