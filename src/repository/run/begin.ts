import type { Digest } from '../../oci/digest.ts';
import type { Context } from '../../support/context.ts';
import { packGoal } from '../packs/pack-goal.ts';
import { UsablePacks } from '../packs/usable-packs.ts';
import type { Store } from '../seal/store.ts';
import type { StoredSnapshot } from '../snapshot/stored.ts';
import { Ingest } from './ingest.ts';
import { selectReusable } from './reusable.ts';
import type { Run, RunOptions } from './run.ts';
import { RunUnderWay } from './run-under-way.ts';

export interface BeginOptions extends RunOptions {
  store: Store;
  repository: string;
  /** Every snapshot, oldest first. */
  stored: readonly StoredSnapshot[];
  damaged: ReadonlySet<Digest>;
  /** Called once, however the run ends. */
  onEnd(): void;
}

/** Begins a run; the exclusive lock is held. */
export async function beginRun(options: BeginOptions, context: Context): Promise<Run> {
  const { store, stored, deployment, damaged } = options;
  const started = context.now();
  const reusable = (await selectReusable(store, stored)).toReversed();
  const comparable = ofDeployment(reusable, deployment);
  const indexes = reusable.flatMap(({ parts }) => parts.indexes);
  const usable = new UsablePacks(store, indexes, damaged);
  const ingest = new Ingest({ store, indexes, usable, packGoal: packGoal(stored) });
  if (comparable.length === 0 && ofDeployment(stored, deployment).length > 0) {
    context.progress.warn(nothingToBuildOn(store));
  }
  return new RunUnderWay({ ...options, started, comparable, usable, ingest }, context);
}

function ofDeployment(stored: readonly StoredSnapshot[], deployment: string): StoredSnapshot[] {
  return stored.filter(({ snapshot }) => snapshot.deployment === deployment);
}

function nothingToBuildOn({ directory, recipients }: Store): string {
  const why =
    recipients.length === 0
      ? 'they are encrypted, and this one shall not be'
      : 'they are not encrypted to all recipients, or this host no longer knows what is inside';
  return `everything is stored anew: of the snapshots in ${directory} none can be built on, for ${why}`;
}
