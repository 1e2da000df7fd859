import type { Deployment } from '../../deployment/deployment.ts';
import { isWhole, type Snapshot } from '../../repository/snapshot/snapshot.ts';
import { type Candidate, planRetention, type RetentionPlan } from './retention.ts';

/** A snapshot as the rules of `keep` look at it. */
export interface PruneCandidate extends Candidate {
  snapshot: Snapshot;
}

/**
 * What `keep` of the deployment file means for its snapshots; those of other deployments in the same repository are
 * not considered. Snapshots with sources that only `--full` takes do not compete with those without: three light ones
 * must not push out the only full one.
 * @param snapshots in the order in which they were made
 * @param known ids of the snapshots that were there when a check last found nothing wrong, and of those that this host
 * signed
 */
export function planPrune(
  deployment: Deployment,
  snapshots: readonly Snapshot[],
  { verified, own }: { verified: ReadonlySet<string>; own: ReadonlySet<string> },
  clock: { now: Date; timeZone?: string },
): RetentionPlan<PruneCandidate> {
  const { sources = [], keep } = deployment.backup ?? {};
  const onlyFull = new Set(sources.filter(({ full }) => full).map(({ name }) => name));
  const candidates = snapshots
    .filter((snapshot) => snapshot.deployment === deployment.name)
    .map((snapshot): PruneCandidate => {
      const { id, started, complete, rebuilt = false, damaged = false, tags, host } = snapshot;
      const isFull = snapshot.sources.some(({ name }) => onlyFull.has(name));
      const series = `${host} ${isFull ? 'full' : 'light'}`;
      return { id, started, complete, rebuilt, damaged, tags, series, snapshot, own: own.has(id) };
    });
  const checked = candidates.filter(({ id, complete }) => complete && verified.has(id));
  const lastVerified = lastOfEachSeries(checked).union(lastOfEachSeries(checked.filter((one) => one.own)));
  const madeLast = lastMade(candidates.filter(({ snapshot }) => isWhole(snapshot)));
  const marked = candidates.map((each) => ({
    ...each,
    lastVerified: lastVerified.has(each.id),
    madeLast: madeLast.has(each.id),
  }));
  return planRetention(marked, keep, clock);
}

/**
 * The last snapshot that was made of each series, and all that were made after one of a later date: without them
 * nothing would tell which one is the last. Of a host that signed some only those count: any other may be a lie.
 */
function lastMade(candidates: readonly PruneCandidate[]): Set<string> {
  const last = new Set<string>();
  for (const all of Map.groupBy(candidates, ({ snapshot }) => snapshot.host).values()) {
    const own = all.filter((one) => one.own);
    const made = own.length > 0 ? own : all;
    for (const id of lastOfEachSeries(made)) last.add(id);
    const ahead = made.findIndex(({ started }) => started > made.at(-1)!.started);
    if (ahead >= 0) for (const { id } of made.slice(ahead + 1)) last.add(id);
  }
  return last;
}

function lastOfEachSeries(candidates: readonly PruneCandidate[]): Set<string> {
  return new Set(new Map(candidates.map(({ series, id }) => [series, id])).values());
}
