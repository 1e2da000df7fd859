import type { Deployment } from '../../deployment/deployment.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { type Candidate, planRetention, type RetentionPlan } from './retention.ts';

export interface PruneCandidate extends Candidate {
  snapshot: Snapshot;
}

/**
 * What `keep` of the deployment file means for its snapshots; those of other deployments in the same repository are
 * not considered. Snapshots with sources that only `--full` takes do not compete with those without: three light ones
 * must not push out the only full one.
 * @param lastVerified id of the snapshot that was verified last
 */
export function planPrune(
  deployment: Deployment,
  snapshots: readonly Snapshot[],
  lastVerified: string | undefined,
  clock: { now: Date; timeZone: string },
): RetentionPlan<PruneCandidate> {
  const { sources = [], keep } = deployment.backup ?? {};
  const onlyFull = new Set(sources.filter(({ full }) => full).map(({ name }) => name));
  const candidates = snapshots
    .filter((snapshot) => snapshot.deployment === deployment.name)
    .map((snapshot): PruneCandidate => {
      const { id, started, complete, rebuilt = false, tags, host } = snapshot;
      const isFull = snapshot.sources.some(({ name }) => onlyFull.has(name));
      const series = `${host} ${isFull ? 'full' : 'light'}`;
      return { id, started, complete, rebuilt, tags, series, lastVerified: id === lastVerified, snapshot };
    });
  return planRetention(candidates, keep, clock);
}
