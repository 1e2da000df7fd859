import type { Snapshot } from '../../repository/snapshot/snapshot.ts';

/** What a snapshot is worth, in a word. */
export function stateOf({ complete, rebuilt }: Pick<Snapshot, 'complete' | 'rebuilt'>): string {
  if (rebuilt) return 'rebuilt';
  return complete ? 'complete' : 'incomplete';
}
