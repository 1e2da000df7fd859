import type { Entry } from '../../repository/entry.ts';
import type { Gap } from '../../repository/read/read-entries.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Loss } from './loss.ts';
import { readableTree } from './readable-tree.ts';

/**
 * The same repository without what is known to be lost: what it hands out is whole, as if nothing else had ever been saved. Damage
 * that has come since is thrown as ever.
 *
 * @param losses by source
 */
export function withoutLosses(
  repository: ReadableRepository,
  losses: ReadonlyMap<string, Loss>,
): ReadableRepository {
  return {
    directory: repository.directory,
    snapshots: () => repository.snapshots(),
    find: (name) => repository.find(name),
    unreadable: () => repository.unreadable(),
    lacking: (snapshot, source) => repository.lacking(snapshot, source),
    signedConfig: (snapshot) => repository.signedConfig(snapshot),
    entries(snapshot, source, onGap) {
      const loss = losses.get(source);
      if (loss === undefined) return repository.entries(snapshot, source, onGap);
      return entriesLeft(repository, snapshot, source, loss);
    },
    content: (snapshot, entry, options) => repository.content(snapshot, entry, options),
    close: () => repository.close(),
  };
}

async function* entriesLeft(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  { roots, ranges, files }: Loss,
): AsyncGenerator<Entry> {
  const expectKnown = (gap: Gap) => {
    const isKnown = ranges.some(({ after, before }) => after === gap.after && before === gap.before);
    if (!isKnown) throw gap.error;
  };
  const listener = { onGap: expectKnown, onDirectory: () => {} };
  for await (const entry of readableTree(repository, snapshot, source, roots, listener)) {
    if (!files.has(entry.path)) yield entry;
  }
}
