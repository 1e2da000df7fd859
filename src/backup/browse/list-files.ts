import { comparePaths, type Entry } from '../../repository/entry.ts';
import type { Gap } from '../../repository/read/read-entries.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { isAt, mayHaveHeld, noSuchFile, type Place, placesNamed } from './file-name.ts';

/** A file of a snapshot, and the source that it is in. */
export interface ListedFile {
  source: SourceSummary;
  entry: Entry;
}

/** A part of a source's tree that cannot be read, where files might have been listed. */
export interface UnlistedPart extends Gap {
  source: SourceSummary;
}

/**
 * The files of a snapshot, source by source, each in the order of its tree.
 *
 * @param name what to list, as `placesNamed` reads it
 * @param onDamage is told of what cannot be listed, and the rest is
 */
export async function* listFiles(
  repository: Repository,
  snapshot: Snapshot,
  name: string | undefined,
  onDamage: (part: UnlistedPart) => void,
): AsyncGenerator<ListedFile> {
  for (const place of placesNamed(snapshot, name)) yield* filesAt(repository, snapshot, place, onDamage);
}

/** The files at one place and below. */
export async function* filesAt(
  repository: Repository,
  snapshot: Snapshot,
  place: Place,
  onDamage: (part: UnlistedPart) => void,
): AsyncGenerator<ListedFile> {
  const { source } = place;
  const onGap = (gap: Gap) => {
    if (mayHaveHeld(gap, place)) onDamage({ ...gap, source });
  };
  for await (const entry of entriesAt(repository, snapshot, place, onGap)) yield { source, entry };
}

/**
 * The same files, of a place that must be there.
 * @throws {NotFoundError} when there are none; a source of no files is there all the same
 */
export async function* existing(
  files: AsyncIterable<ListedFile>,
  snapshot: Snapshot,
  name: string,
): AsyncGenerator<ListedFile> {
  let found = placesNamed(snapshot, name).some(({ path }) => path === undefined);
  for await (const file of files) {
    found = true;
    yield file;
  }
  if (!found) throw noSuchFile(snapshot, name);
}

/** Stops reading the tree behind the place. */
async function* entriesAt(
  repository: Repository,
  snapshot: Snapshot,
  place: Place,
  onGap: (gap: Gap) => void,
): AsyncGenerator<Entry> {
  let found = false;
  for await (const entry of repository.entries(snapshot, place.source.name, onGap)) {
    if (isAt(place, entry)) {
      found = true;
      yield entry;
    } else if (found || isBehind(entry.path, place.path)) return;
  }
}

function isBehind(path: string, wanted: string | undefined): boolean {
  return wanted !== undefined && comparePaths(path, wanted) > 0;
}
