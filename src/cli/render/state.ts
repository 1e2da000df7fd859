import type { Snapshot } from '../../repository/snapshot/snapshot.ts';

/** What a snapshot is worth, in a word. */
export function stateOf({
  complete,
  rebuilt,
  damaged,
}: Pick<Snapshot, 'complete' | 'rebuilt' | 'damaged'>): string {
  const flaws = [
    ...(rebuilt ? ['rebuilt'] : complete ? [] : ['incomplete']),
    ...(damaged ? ['damaged'] : []),
  ];
  return flaws.join(', ') || 'complete';
}
