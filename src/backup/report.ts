import type { Snapshot, SourceSummary } from '../repository/repository.ts';

/** What a backup did. */
export interface BackupReport {
  snapshot: Snapshot;
  sources: SourceReport[];
  /** Nothing differs from the snapshot before. */
  unchanged: boolean;
  /** Sources that are saved with `full` only. */
  leftOut: string[];
}

export interface SourceReport extends SourceSummary {
  changes: Changes;
}

/** Compared with the snapshot before, in files of every kind. */
export interface Changes {
  added: number;
  changed: number;
  removed: number;
}
