import type { Entry } from '../../repository/entry.ts';
import type { Gap } from '../../repository/read/read-entries.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { isWithin } from '../../repository/tree/path-range.ts';
import { isInside } from '../../support/path-containment.ts';
import { parentOf } from '../tree/checked-entries.ts';

/** Whom to tell of what is not in a tree that was read past its damage, each before the entry that comes behind it. */
export interface TreeListener {
  onGap(gap: Gap): void;
  /** Of a directory that is made up, for the files in it are there and it is not. */
  onDirectory(path: string): void;
}

/**
 * What can be read of a source's tree. A directory whose own entry is lost, but of which there are files, gets one that
 * lets nobody but root in.
 *
 * @param roots paths at which the trees of the source begin
 */
export async function* readableTree(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  roots: readonly string[],
  { onGap, onDirectory }: TreeListener,
): AsyncGenerator<Entry> {
  let lastGap: Gap | undefined;
  const entries = repository.entries(snapshot, source, (gap) => {
    lastGap = gap;
    onGap(gap);
  });
  let directories: string[] = [];
  for await (const entry of entries) {
    if (roots.includes(entry.path)) directories = [];
    while (directories.length > 0 && !isInside(entry.path, directories.at(-1)!)) directories.pop();
    for (const path of lostAbove(entry.path, directories.at(-1), roots, lastGap)) {
      onDirectory(path);
      directories.push(path);
      yield { path, type: 'directory', mode: 0o700, uid: 0, gid: 0, mtime: entry.mtime };
    }
    if (entry.type === 'directory') directories.push(entry.path);
    yield entry;
  }
}

/**
 * Directories between `known`, or a root that has no entry, and `path` that lay in the gap; outermost first. No others
 * are made up.
 */
function lostAbove(
  path: string,
  known: string | undefined,
  roots: readonly string[],
  gap: Gap | undefined,
): string[] {
  const lost: string[] = [];
  if (gap === undefined) return lost;
  for (let at = path; !roots.includes(at) && at !== '.'; ) {
    at = parentOf(at);
    if (at === known) break;
    if (!isWithin(at, gap)) return roots.includes(at) ? lost : [];
    lost.unshift(at);
  }
  return lost;
}
