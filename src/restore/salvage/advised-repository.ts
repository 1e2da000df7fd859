import type { ReadableRepository } from '../../repository/repository.ts';
import { DamagedError } from '../../support/errors.ts';

/** How a restore can come past damage. */
export const pastDamage =
  'Another snapshot may be whole, and dockerctl backup repair may mend this one; --skip-damaged restores what can be read';

/** The same repository; what it throws where something cannot be read says how a restore can come past that. */
export function advisedRepository(repository: ReadableRepository): ReadableRepository {
  return {
    directory: repository.directory,
    snapshots: () => repository.snapshots(),
    find: (name) => repository.find(name),
    unreadable: () => repository.unreadable(),
    lacking: (snapshot, source) => repository.lacking(snapshot, source),
    signedConfig: (snapshot) => repository.signedConfig(snapshot),
    entries: (snapshot, source, onGap) => advised(repository.entries(snapshot, source, onGap)),
    content: (snapshot, entry, options) => advised(repository.content(snapshot, entry, options)),
    close: () => repository.close(),
  };
}

async function* advised<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    throw new DamagedError(error.message, { facts: error.facts, cause: error, advice: pastDamage });
  }
}
