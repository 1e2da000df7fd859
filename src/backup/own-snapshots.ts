import type { Deployment } from '../deployment/deployment.ts';
import type { Repository } from '../repository/repository.ts';
import type { OwnProof } from '../repository/signed/newest-own.ts';
import { madeBy } from '../repository/snapshot/origin.ts';
import { isWhole, type Snapshot } from '../repository/snapshot/snapshot.ts';
import { ownFingerprint } from './signing-key.ts';
import { readStatus } from './status/status-file.ts';

/** This host, and what it has just done. */
export interface Here {
  /** Name of this host. */
  host: string;
  stateDir: string;
  /** Of the snapshot that was made just now, if one was. */
  made?: string | undefined;
}

/**
 * What a deployment made on this host, oldest first, for telling how its backups fare. Anybody who may add to the
 * repository can say that a snapshot is of this host: once this host has made a complete one that it knows for its
 * own, what is newer counts only if it is its own as well.
 */
export async function ownSnapshots(
  deployment: Deployment,
  repository: Repository,
  here: Here,
): Promise<Snapshot[]> {
  const { name, backup } = deployment;
  const made = madeBy(await repository.snapshots(), { deployment: name, host: here.host });
  if (backup === undefined) return made;
  const { key, remembered } = await ownProof(deployment, backup.repository, here);
  if (key === undefined) return made;
  const own: Snapshot[] = [];
  for (const [index, snapshot] of [...made.entries()].reverse()) {
    if (!remembered.has(snapshot.id) && !(await repository.madeHere(snapshot, key))) continue;
    own.unshift(snapshot);
    if (isWhole(snapshot)) return [...made.slice(0, index), ...own];
  }
  return own.length === 0 ? made : own;
}

/** What this host knows the snapshots by that a deployment made here. */
export async function ownProof(
  { name, backup }: Deployment,
  repository: string,
  { made, stateDir }: Here,
): Promise<Required<OwnProof>> {
  const key = await ownFingerprint(backup?.signingKey);
  const status = await readStatus(name, repository, stateDir);
  const ids = [made, status?.lastRun?.snapshot, status?.lastComplete?.id];
  return { key, remembered: new Set(ids.filter((id) => typeof id === 'string')) };
}

/** Ids of those that are signed with the key of this host, and were not carried in. */
export async function signedHere(
  { backup }: Deployment,
  repository: Repository,
  snapshots: readonly Snapshot[],
): Promise<Set<string>> {
  const key = await ownFingerprint(backup?.signingKey);
  const signed = new Set<string>();
  if (key === undefined) return signed;
  for (const snapshot of snapshots) if (await repository.madeHere(snapshot, key)) signed.add(snapshot.id);
  return signed;
}
