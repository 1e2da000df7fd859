import type { Snapshot } from './snapshot.ts';

/** Whose snapshots: several deployments, and several hosts that run the same one, may share a repository. */
export type Origin = Pick<Snapshot, 'deployment' | 'host'>;

/** Those that one deployment made on one host. */
export function madeBy<T extends Origin>(snapshots: readonly T[], { deployment, host }: Origin): T[] {
  return snapshots.filter((snapshot) => snapshot.deployment === deployment && snapshot.host === host);
}

/**
 * Those of one host; where it has none, as on the machine that takes the place of a lost one, those that the deployment
 * made elsewhere.
 */
export function closestTo<T extends Origin>(snapshots: readonly T[], origin: Origin): T[] {
  const own = madeBy(snapshots, origin);
  return own.length > 0 ? own : snapshots.filter(({ deployment }) => deployment === origin.deployment);
}
