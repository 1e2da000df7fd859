import type { ReadableRepository } from '../repository/repository.ts';
import type { TrustedKeys } from '../repository/signed/provenance.ts';
import type { Context } from '../support/context.ts';
import { isForbidden } from '../support/errors.ts';
import type { RestoreReport } from './conclude.ts';
import { decide } from './decide.ts';
import type { AdoptedFile } from './deployment-file/adopted-file.ts';
import type { RestoreHost } from './host.ts';
import type { RestoreJournal } from './journal.ts';
import type { RestorePlan } from './plan/plan.ts';
import type { Selection } from './plan/select.ts';
import { refuseUnfinished } from './refuse-unfinished.ts';
import { restoreError } from './restore-error.ts';
import { runOver, runRestore } from './run.ts';

export interface RestoreRequest extends Selection {
  /** Id, unique prefix, or `latest`. */
  snapshot: string;
  /** Options that say where that is and where it goes, for a command to type: ` --repository DIR`. */
  options?: string;
  /** Read everything through first, and restore what is not damaged; left out: damage is thrown. */
  skipDamaged?: boolean;
  /**
   * The deployment file that `ports.host` goes by is this one of the snapshot; left out: it is on this host already.
   */
  adopted?: AdoptedFile;
}

export interface RestorePorts {
  repository: ReadableRepository;
  /** Not needed with `to`. */
  host: RestoreHost | undefined;
  /** Whose snapshots may be restored; left out: anybody's. */
  keys?: TrustedKeys;
}

/** A restore that has looked at everything and changed nothing. */
export interface PreparedRestore {
  plan: RestorePlan;
  /** Does it. After a failure everything is as it was. */
  run(): Promise<RestoreReport>;
}

/**
 * Finds out what restoring a snapshot means for this host: who made it, damage, lack of room, missing images and an
 * unfinished restore are told before anything is done.
 */
export async function prepareRestore(
  request: RestoreRequest,
  ports: RestorePorts,
  context: Context,
): Promise<PreparedRestore> {
  const { decided, runPorts } = await planning(async () => {
    await refuseUnfinished(context);
    return decide(request, ports, context);
  });
  return { plan: decided.plan, run: () => runRestore(decided, runPorts, context) };
}

/**
 * Does one that was killed from the beginning, when nothing of it is staged any more; with the lock held. Where it cannot
 * be done, its journal stays.
 */
export async function restoreOver(
  killed: RestoreJournal,
  request: RestoreRequest,
  ports: RestorePorts,
  context: Context,
): Promise<RestoreReport> {
  const { decided, runPorts } = await planning(() => decide(request, ports, context));
  return runOver(killed, decided, runPorts, context);
}

async function planning<T>(plan: () => Promise<T>): Promise<T> {
  try {
    return await plan();
  } catch (error) {
    throw isForbidden(error) ? error : restoreError('planning a restore', error);
  }
}
