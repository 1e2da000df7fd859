import { delegate } from '../../repository/delegate.ts';
import type { Entry } from '../../repository/entry.ts';
import type { Gap } from '../../repository/read/read-entries.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Loss } from './loss.ts';
import { readableTree } from './readable-tree.ts';

/**
 * The same repository without what is known to be lost: what it hands out is whole, as if nothing else had ever been
 * saved. Damage that has come since is thrown as ever.
 *
 * @param losses by source
 */
export function withoutLosses(
  repository: ReadableRepository,
  losses: ReadonlyMap<string, Loss>,
): ReadableRepository {
  return delegate(repository, {
    entries(snapshot, source, onGap) {
      const loss = losses.get(source);
      if (loss === undefined) return repository.entries(snapshot, source, onGap);
      return entriesLeft(repository, snapshot, source, loss);
    },
  });
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
