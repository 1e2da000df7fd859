import { comparePaths, type Entry } from '../../repository/entry.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { isAt, type Place, placesNamed } from './file-name.ts';

export interface ListedFile {
  source: SourceSummary;
  entry: Entry;
}

/**
 * The files of a snapshot, source by source, each in the order of its tree.
 *
 * @param name what to list, as `placesNamed` reads it
 */
export async function* listFiles(
  repository: Repository,
  snapshot: Snapshot,
  name: string | undefined,
): AsyncGenerator<ListedFile> {
  for (const place of placesNamed(snapshot, name)) {
    for await (const entry of entriesAt(repository, snapshot, place)) yield { source: place.source, entry };
  }
}

/** Stops reading the tree behind the place. */
async function* entriesAt(repository: Repository, snapshot: Snapshot, place: Place): AsyncGenerator<Entry> {
  let found = false;
  for await (const entry of repository.entries(snapshot, place.source.name)) {
    if (isAt(place, entry)) {
      found = true;
      yield entry;
    } else if (found || isBehind(entry.path, place.path)) return;
  }
}

function isBehind(path: string, wanted: string | undefined): boolean {
  return wanted !== undefined && comparePaths(path, wanted) > 0;
}
