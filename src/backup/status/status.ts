import { isWhole, type Snapshot } from '../../repository/snapshot/snapshot.ts';

/** What is known about a deployment's backups: `status.json`, and what metrics are made from. */
export interface BackupStatus {
  deployment: string;
  repository: string;
  /** `null` when none was recorded on this host. */
  lastRun: RunRecord | null;
  /** The newest complete snapshot that is not known to be damaged. */
  lastComplete: SnapshotRecord | null;
  /** One that is damaged is not complete. */
  snapshots: { complete: number; incomplete: number };
  /** `null` when no check of the repository has succeeded on this host. */
  lastVerified: VerificationRecord | null;
}

/** How a run ended. Times are ISO 8601 in UTC. */
export interface RunRecord {
  started: string;
  ended: string;
  outcome: 'complete' | 'incomplete' | 'failed';
  /** Id of the snapshot it committed; with `failed` one that did not reach the other host. */
  snapshot: string | null;
  /** Why it failed, or why the snapshot is incomplete; one line. */
  problem: string | null;
}

/** A check that found nothing wrong. */
export interface VerificationRecord {
  ended: string;
  /** Id of the newest complete snapshot at that time. */
  snapshot: string;
  /** Whether every chunk was read too. */
  readData: boolean;
}

export interface SnapshotRecord {
  id: string;
  started: string;
  ended: string;
  files: number;
  /** Of the files as they are on the host. */
  bytes: number;
  /** That it added to the repository. */
  addedBytes: number;
}

/** Whether backups are as young as somebody wants them. */
export interface Freshness {
  fresh: boolean;
  /** Seconds since the last complete snapshot began; `null` without one. */
  age: number | null;
  /** One line; `null` when all is well. */
  problem: string | null;
}

/** @param snapshots of this deployment only, oldest first */
export function backupStatus(
  { deployment, repository }: Pick<BackupStatus, 'deployment' | 'repository'>,
  snapshots: readonly Snapshot[],
  { lastRun, lastVerified }: Pick<BackupStatus, 'lastRun' | 'lastVerified'>,
): BackupStatus {
  const complete = snapshots.filter(isWhole);
  const newest = complete.at(-1);
  return {
    deployment,
    repository,
    lastRun,
    lastComplete: newest === undefined ? null : recordOf(newest),
    snapshots: { complete: complete.length, incomplete: snapshots.length - complete.length },
    lastVerified,
  };
}

const day = 86_400;

/** Whether the last complete snapshot is young enough. Its age is that of its data: it counts from when it began. */
export function judgeFreshness({ lastComplete }: BackupStatus, maxAge: number, now: Date): Freshness {
  if (lastComplete === null) return { fresh: false, age: null, problem: 'there is no complete snapshot' };
  const age = (now.getTime() - Date.parse(lastComplete.started)) / 1000;
  if (age <= -day) {
    const problem = 'the last complete snapshot is of a day that is yet to come by the clock';
    return { fresh: false, age, problem };
  }
  if (age <= maxAge) return { fresh: true, age, problem: null };
  return { fresh: false, age, problem: 'the last complete snapshot is too old' };
}

function recordOf({ id, started, ended, sources, added }: Snapshot): SnapshotRecord {
  return {
    id,
    started: started.toISOString(),
    ended: ended.toISOString(),
    files: sources.reduce((sum, { files }) => sum + files, 0),
    bytes: sources.reduce((sum, { bytes }) => sum + bytes, 0),
    addedBytes: added.bytes,
  };
}
