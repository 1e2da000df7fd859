import type { Entry } from '../../repository/entry.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { checkedEntries } from './checked-entries.ts';

/**
 * The checked entries of a source. A tree that no file system held, such as a dump, has no root of its own: it is given
 * one that only its owner can enter.
 */
export function sourceTree(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  roots: readonly string[],
): AsyncGenerator<Entry> {
  const entries = repository.entries(snapshot, source);
  return checkedEntries(roots.includes('.') ? withRoot(entries) : entries, roots);
}

async function* withRoot(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  let first = true;
  for await (const entry of entries) {
    if (first && entry.path !== '.') {
      yield { path: '.', type: 'directory', mode: 0o700, uid: entry.uid, gid: entry.gid, mtime: entry.mtime };
    }
    first = false;
    yield entry;
  }
}
