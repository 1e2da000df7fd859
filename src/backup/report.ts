import type { Snapshot, SourceSummary } from '../repository/snapshot/snapshot.ts';

/** What a backup did. */
export interface BackupReport {
  snapshot: Snapshot;
  sources: SourceReport[];
  /** Nothing differs from the snapshot before. */
  unchanged: boolean;
  /** Sources that are saved with `full` only. */
  leftOut: string[];
  /** Why the snapshot is not signed, when the one before was, or there was none before. */
  unsigned: string | undefined;
}

/** What a backup did with one source. */
export interface SourceReport extends SourceSummary {
  changes: Changes;
}

/** Compared with the snapshot before, in files of every kind; one that cannot be read is not in this one. */
export interface Changes {
  added: number;
  changed: number;
  removed: number;
}

/** Why the snapshot is incomplete, in one line; `undefined` when it is complete. */
export function firstProblem({ sources }: BackupReport): string | undefined {
  const incomplete = sources.filter(({ complete }) => !complete);
  const [first] = incomplete;
  if (first === undefined) return undefined;
  const others = incomplete.length > 1 ? `, and ${incomplete.length - 1} more incomplete` : '';
  return `${first.title}: ${first.warnings[0] ?? 'incomplete'}${others}`;
}
