import type { Entry } from '../../repository/entry.ts';
import type { Gap } from '../../repository/read/read-entries.ts';
import type { Repository } from '../../repository/repository.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { isWithin, type PathRange } from '../../repository/tree/path-range.ts';
import { interruptible } from '../../support/interruptible.ts';
import { compareTrees, type Difference } from './compare-trees.ts';
import { holdSameBytes } from './same-bytes.ts';

/** What differs of one file between two snapshots. */
export interface SnapshotDifference extends Difference {
  source: Pick<SourceSummary, 'name' | 'kind'>;
}

/** A part of a source's tree that cannot be read in one of the snapshots: what differs there is not known. */
export interface UncomparedPart extends Gap {
  snapshot: Snapshot;
  source: Pick<SourceSummary, 'name'>;
}

/**
 * What differs between two snapshots, source by source; one that only one of them has counts as added or removed.
 *
 * @param onDamage is told of each part that cannot be read, and the rest is compared
 * @param signal ends it, with its reason
 */
export async function* compareSnapshots(
  repository: Repository,
  before: Snapshot,
  after: Snapshot,
  onDamage: (part: UncomparedPart) => void,
  signal?: AbortSignal,
): AsyncGenerator<SnapshotDifference> {
  const sources = new Map([...before.sources, ...after.sources].map((source) => [source.name, source]));
  for (const source of sources.values()) {
    const [old, now] = [before, after].map((snapshot) => readable(repository, snapshot, source, onDamage));
    for await (const found of compareTrees(
      interruptible(old!.entries, signal),
      interruptible(now!.entries, signal),
    )) {
      const { change, path } = found;
      const other = change === 'added' ? old : change === 'removed' ? now : undefined;
      if (other?.gaps.some((gap) => isWithin(path, gap))) continue;
      const difference = await unlessCutOnly(found, repository, [before, after], signal);
      if (difference !== undefined) yield { ...difference, source };
    }
  }
}

/** The same bytes in other chunks are no other content. */
async function unlessCutOnly(
  difference: Difference,
  repository: Repository,
  [before, after]: readonly [Snapshot, Snapshot],
  signal: AbortSignal | undefined,
): Promise<Difference | undefined> {
  const { change, attributes, before: old, after: now } = difference;
  if (change !== 'content' || old === undefined || now === undefined) return difference;
  const [one, other] = [
    { snapshot: before, entry: old },
    { snapshot: after, entry: now },
  ];
  if (!(await holdSameBytes(repository, one, other, signal))) return difference;
  return attributes.length > 0 ? { ...difference, change: 'attributes' } : undefined;
}

/**
 * What can be read of a source of a snapshot, and the gaps between as they are come upon: each before what lies behind
 * it.
 */
function readable(
  repository: Repository,
  snapshot: Snapshot,
  source: SourceSummary,
  onDamage: (part: UncomparedPart) => void,
): { entries: AsyncIterable<Entry>; gaps: readonly PathRange[] } {
  const gaps: PathRange[] = [];
  const onGap = (gap: Gap) => {
    gaps.push(gap);
    onDamage({ ...gap, snapshot, source });
  };
  const isThere = snapshot.sources.some(({ name }) => name === source.name);
  return { entries: isThere ? repository.entries(snapshot, source.name, onGap) : nothing(), gaps };
}

async function* nothing(): AsyncGenerator<never> {}
