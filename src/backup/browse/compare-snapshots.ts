import type { Entry } from '../../repository/entry.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { compareTrees, type Difference } from './compare-trees.ts';

export interface SnapshotDifference extends Difference {
  source: Pick<SourceSummary, 'name' | 'kind'>;
}

/** What differs between two snapshots, source by source; one that only one of them has counts as added or removed. */
export async function* compareSnapshots(
  repository: Repository,
  before: Snapshot,
  after: Snapshot,
): AsyncGenerator<SnapshotDifference> {
  const sources = new Map([...before.sources, ...after.sources].map((source) => [source.name, source]));
  for (const source of sources.values()) {
    const [old, now] = [entriesOf(repository, before, source), entriesOf(repository, after, source)];
    for await (const difference of compareTrees(old, now)) yield { ...difference, source };
  }
}

async function* entriesOf(
  repository: Repository,
  snapshot: Snapshot,
  { name }: SourceSummary,
): AsyncGenerator<Entry> {
  if (snapshot.sources.some((source) => source.name === name)) yield* repository.entries(snapshot, name);
}
