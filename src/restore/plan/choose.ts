import type { ReadableRepository } from '../../repository/repository.ts';
import { madeBy } from '../../repository/snapshot/origin.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import { formatMoment } from '../../support/quantities.ts';

/** A newer snapshot than the one that is restored. */
export interface PassedOver {
  id: string;
  /** When it began; `undefined`: nobody can tell. */
  started: Date | undefined;
  /** Why `latest` does not mean it, in words. */
  reason: string;
}

/** The snapshot that a restore is about. */
export interface ChosenSnapshot {
  snapshot: Snapshot;
  /** Oldest first; none where it was named by its id. */
  passedOver: PassedOver[];
  /** What else `latest` could have meant, in words. */
  doubts: string[];
}

/**
 * Finds the snapshot that is named, and what to know of how it was chosen.
 * @param deployment name of the one that is restored; left out: whichever the snapshot is of
 */
export async function chooseSnapshot(
  name: string,
  repository: ReadableRepository,
  deployment: string | undefined,
): Promise<ChosenSnapshot> {
  const snapshot = await repository.find(name);
  const doubts = strangeness(snapshot, deployment);
  if (name !== 'latest') return { snapshot, passedOver: [], doubts };
  const all = await repository.snapshots();
  if (deployment === undefined) doubts.push(...otherSeries(snapshot, all));
  const series = madeBy(all, snapshot);
  const made = series.findIndex(({ id }) => id === snapshot.id);
  const newer = series.slice(made + 1);
  doubts.push(
    ...series
      .slice(0, made)
      .filter(({ started }) => started > snapshot.started)
      .map(wrongClock),
  );
  const lost = (await repository.unreadable()).filter(
    ({ started }) => started === undefined || started > snapshot.started,
  );
  return { snapshot, passedOver: [...newer.map(whyPassedOver), ...lost], doubts };
}

/** Two deployments may have sources of the same names. */
function strangeness(snapshot: Snapshot, deployment: string | undefined): string[] {
  if (deployment === undefined || snapshot.deployment === deployment) return [];
  return [`the backup is of the deployment ${snapshot.deployment}, here is ${deployment}`];
}

function whyPassedOver({ id, started, sources, complete }: Snapshot): PassedOver {
  if (complete) return { id, started, reason: 'this host did not make it, though it says so' };
  const failed = sources.find(({ complete }) => !complete);
  const [warning] = failed?.warnings ?? [];
  const reason = failed === undefined ? '' : `: ${[failed.title, warning].filter(Boolean).join(': ')}`;
  return { id, started, reason: `it is incomplete${reason}` };
}

/** The dates of snapshots say another order than that in which they were made. */
function wrongClock({ id, started }: Snapshot): string {
  return `snapshot ${shortId(id)} says that it is of ${formatMoment(started)}, but was made before this one: a clock stood wrong`;
}

/** Hosts, or deployments, that keep their snapshots in the same place. */
function otherSeries(snapshot: Snapshot, all: readonly Snapshot[]): string[] {
  const others = new Set(all.map(seriesOf).filter((other) => other !== seriesOf(snapshot)));
  if (others.size === 0) return [];
  return [`\`latest\` is of ${seriesOf(snapshot)}; there are snapshots of ${[...others].join(', ')} too`];
}

function seriesOf({ deployment, host }: Snapshot): string {
  return `${deployment} on ${host}`;
}
