import type { ReadableRepository } from '../repository/repository.ts';
import { requireProvenance, type TrustedKeys } from '../repository/signed/provenance.ts';
import { shortId } from '../repository/snapshot/short-id.ts';
import type { Context } from '../support/context.ts';
import { UsageError } from '../support/errors.ts';
import type { RestoreReport } from './conclude.ts';
import type { RestoreHost } from './host.ts';
import { lackedImages, refuseMissingImages } from './images.ts';
import { refuseUnfinished } from './journal.ts';
import { findDataDirectories } from './plan/data-directories.ts';
import { expectSpace } from './plan/needs.ts';
import { planRestore, type RestorePlan } from './plan/plan.ts';
import { type Selection, selectSources } from './plan/select.ts';
import { findGround, surveyHost } from './plan/survey.ts';
import { runRestore } from './run.ts';

export interface RestoreRequest extends Selection {
  /** Id, unique prefix, or `latest`. */
  snapshot: string;
  /** `false`: the deployment file is a stranger's, and its commands are not run on this host. */
  hostCommands?: boolean;
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
 * Finds out what restoring a snapshot means for this host: who made it, damage, lack of room, missing images and an unfinished
 * restore are told before anything is done.
 */
export async function prepareRestore(
  request: RestoreRequest,
  ports: RestorePorts,
  context: Context,
): Promise<PreparedRestore> {
  await refuseUnfinished(context.stateDir);
  const { repository } = ports;
  const host = request.to === undefined ? ports.host : undefined;
  const snapshot = await repository.find(request.snapshot);
  const what = `snapshot ${shortId(snapshot.id)}`;
  const provenance = await requireProvenance(await repository.signedConfig(snapshot), ports.keys ?? {}, what);
  const sources = host?.deployment.backup?.sources ?? [];
  const { selected: chosen, skipped } = selectSources(snapshot, request, sources);
  if (chosen.length === 0) throw new UsageError(`restoring ${snapshot.id}: nothing of it is chosen`);
  const selected = host ? await findDataDirectories(chosen, repository, snapshot, host, context) : chosen;
  const ground = await findGround(selected, host?.engine, request.to);
  const release = host?.deployment.release;
  const options = { services: host?.services, release, partial: request.only.length > 0 };
  const survey = await surveyHost(repository, snapshot, selected, ground, options, context);
  if (request.to !== undefined) refuseExisting(survey.targets);
  const plan = { ...planRestore(snapshot, selected, skipped, survey), provenance };
  if (!selected.some(({ images }) => images)) refuseMissingImages(lackedImages(plan.start, survey.services));
  expectSpace(plan.space);
  const decided = { request, snapshot, selected, plan, services: survey.services };
  return { plan, run: () => runRestore(decided, { repository, host }, context) };
}

function refuseExisting(targets: readonly { where: string; exists: boolean }[]): void {
  const existing = targets.find(({ exists }) => exists);
  if (existing === undefined) return;
  throw new UsageError(`restoring to a directory: ${existing.where} exists already`, {
    advice: 'Name a directory that does not hold it',
    facts: { path: existing.where },
  });
}
