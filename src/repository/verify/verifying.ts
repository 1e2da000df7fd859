import type { Context } from '../../support/context.ts';
import type { ProgressTask } from '../../support/progress.ts';
import type { Store } from '../seal/store.ts';
import type { Catalog } from '../snapshot/catalog.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import type { DamageReport } from './damage-report.ts';

/** A repository under verification. */
export interface Verifying {
  store: Store;
  catalog: Catalog;
  /** The snapshots whose content is looked into. */
  opened: readonly StoredSnapshot[];
  found: DamageReport;
  task: ProgressTask;
  context: Context;
}
