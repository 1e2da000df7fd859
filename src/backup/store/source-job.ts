import type { Deployment } from '../../deployment/deployment.ts';
import type { Engine } from '../../engine/engine.ts';
import type { SourceWriter } from '../../repository/run/run.ts';
import type { Context } from '../../support/context.ts';
import type { ProgressTask } from '../../support/progress.ts';

/** What saving one source needs. */
export interface SourceJob {
  deployment: Deployment;
  engine: Engine;
  writer: SourceWriter;
  /** Directory of the repository, of which this run is the one writer. */
  repository: string;
  /** See `isUnchanged`. */
  trustedBefore: bigint;
  /** Directories that belong to dockerctl itself, by `identityOf`. */
  neverEnter: ReadonlySet<string>;
  /** In bytes of content. */
  task: ProgressTask;
  context: Context;
}
