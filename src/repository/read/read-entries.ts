import { DamagedError, NotFoundError } from '../../support/errors.ts';
import type { Entry } from '../entry.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { readSegments } from '../tree/read-tree.ts';

/**
 * The files of one source, in the order of their paths.
 * @throws {NotFoundError} when the snapshot has no such source. @throws {DamagedError} @throws {SignatureError}
 */
export async function* readEntries(
  store: Store,
  { snapshot, trees }: StoredSnapshot,
  source: string,
): AsyncGenerator<Entry> {
  const refs = trees.get(source);
  if (refs === undefined) {
    throw new NotFoundError(`reading snapshot ${snapshot.id}: it has no source ${source}`, {
      advice: `Its sources: ${[...trees.keys()].join(', ')}`,
    });
  }
  for await (const segment of readSegments(store, refs)) {
    if (segment instanceof DamagedError) throw segment;
    yield* segment.entries;
  }
}
