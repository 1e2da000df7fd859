import type { Snapshot } from './snapshot.ts';

type Told = Pick<Snapshot, 'id' | 'started' | 'predecessor'>;

/**
 * Snapshots in the order in which they were made, oldest first. Each says when it began, by a clock that may have stood
 * wrong, and with which one it was compared: it was made after that one, whatever the clock said.
 */
export function inOrderOfMaking<T extends { snapshot: Told }>(stored: readonly T[]): T[] {
  const byId = new Map(stored.map(({ snapshot }) => [snapshot.id, snapshot]));
  const moments = new Map<string, Moment>();
  for (const { snapshot } of stored) addMoments(snapshot, byId, moments);
  return stored.toSorted((a, b) => compare(a.snapshot, b.snapshot, moments));
}

/** When a snapshot was made at the earliest, and how many of that same moment were made before it. */
interface Moment {
  time: number;
  place: number;
}

/** Of a snapshot and of all that lead to it; without recursion, for there may be thousands. */
function addMoments(snapshot: Told, byId: ReadonlyMap<string, Told>, moments: Map<string, Moment>): void {
  const waiting: Told[] = [];
  for (let one: Told | undefined = snapshot; one !== undefined && !moments.has(one.id); ) {
    waiting.push(one);
    moments.set(one.id, { time: one.started.getTime(), place: 0 });
    one = one.predecessor === undefined ? undefined : byId.get(one.predecessor);
  }
  for (const one of waiting.toReversed()) {
    const before = one.predecessor === undefined ? undefined : moments.get(one.predecessor);
    if (before !== undefined && before.time > one.started.getTime())
      moments.set(one.id, { time: before.time, place: before.place + 1 });
  }
}

function compare(a: Told, b: Told, moments: ReadonlyMap<string, Moment>): number {
  const [one, other] = [moments.get(a.id)!, moments.get(b.id)!];
  return one.time - other.time || one.place - other.place || a.started.getTime() - b.started.getTime();
}
