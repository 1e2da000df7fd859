import type { Deployment } from '../deployment/deployment.ts';
import type { Engine } from '../engine/engine.ts';
import { decodeRecipient } from '../repository/age/keys.ts';
import type { Repository } from '../repository/repository.ts';
import type { Run } from '../repository/run/run.ts';
import type { Snapshot } from '../repository/snapshot/snapshot.ts';
import type { Context } from '../support/context.ts';
import { endingWith } from '../support/deadline.ts';
import { InterruptedError } from '../support/errors.ts';
import { freeSpaceAt } from '../support/free-space.ts';
import { optimizeLittle } from '../support/optimizing.ts';
import { fromText } from '../support/posix/byte-path.ts';
import { expectProc } from '../support/posix/expect-proc.ts';
import { currentDirectory, identityOf, statAt } from '../support/posix/stat.ts';
import { askWhetherBusy, refuseUnlessIdle } from './before/refuse-while.ts';
import { requireSpace } from './before/require-space.ts';
import { type BackupPlan, planBackup } from './plan.ts';
import type { BackupReport, SourceReport } from './report.ts';
import { chooseSigningKey, type Signing } from './signing-key.ts';
import { type SourceSurroundings, storeSource } from './store/source.ts';
import { warnIfRefused } from './warn-if-refused.ts';

/** How a backup is made, besides what the deployment file says. */
export interface BackupOptions {
  /** Not asked when only paths are backed up. */
  engine: Engine;
  repository: Repository;
  /** Also the sources that are left out otherwise. */
  full: boolean;
  /** Name of this host. */
  host: string;
  /** The operator's words for the snapshot. */
  tags?: readonly string[];
  /** See `SourceSurroundings`. */
  unsettled?: SourceSurroundings['unsettled'];
  /** File of the host's own SSH key, where it is not in the usual place. */
  hostKey?: string;
}

/**
 * Saves every source of a deployment as one snapshot, while everything runs. A source that is missing, unreadable or
 * fails to dump makes the snapshot incomplete; it is committed all the same.
 *
 * Before anything is written it throws:
 * @throws {UsageError} when the deployment file says nothing about backups, or names a recipient that is none
 * @throws {SignatureError} when the key that it names for signing cannot be used
 * @throws {FailedError} when /proc is not mounted
 * @throws {EngineUnreachableError} when a source or a check needs the engine, and it does not answer
 * @throws {BusyError} when a `refuse-while` check says that the system is busy, or does not answer
 * @throws {LockedError} when another process writes to the repository
 * @throws {NoSpaceError} when there is too little room; also later, when the disk is full
 * @throws {InterruptedError} when `context.signal` is aborted at any time: nothing of the run is kept
 */
export async function createBackup(
  deployment: Deployment,
  options: BackupOptions,
  context: Context,
): Promise<BackupReport> {
  const { engine, repository, host, tags = [], unsettled = async () => undefined } = options;
  const plan = planBackup(deployment, options);
  expectProc('backing up');
  optimizeLittle(); // Until there is something to read: see `IngestPool`.
  repository.prepareRun();
  const [signing, free] = await Promise.all([
    chooseSigningKey(deployment.backup?.signingKey, options.hostKey),
    freeSpaceAt(repository.directory),
  ]);
  if (plan.needsEngine) await endingWith(context.signal, patience, engine.info());
  refuseUnlessIdle(await askWhetherBusy(plan.checks, { engine, deployment }, context.signal), 'backing up');
  const { name, release } = deployment;
  const recipients = plan.recipients.map(decodeRecipient);
  const about = { host, deployment: name, release, tags, signingKey: signing.key, recipients };
  const run = await repository.beginRun(about, context);
  try {
    await requireSpace(repository, free, plan, run.predecessor);
    const neverEnter = ownDirectories(repository, context);
    const surroundings = {
      ...{ deployment, engine, repository: repository.directory },
      ...{ neverEnter, unsettled, context },
    };
    const sources = await storeSources(plan, run, surroundings);
    const unsigned = await newsOf(signing, run.predecessor, repository);
    const leftOut = plan.leftOut.map((source) => source.name);
    const snapshot = await run.commit();
    await warnIfRefused(snapshot, repository, deployment.backup?.signers, context);
    if (unsigned !== undefined && run.predecessor !== undefined)
      context.progress.warn(`snapshots are signed no longer: ${unsigned}`);
    return { snapshot, sources, unchanged: isUnchanged(run.predecessor, sources), leftOut, unsigned };
  } catch (error) {
    await run.abandon();
    throw error === context.signal.reason ? interrupted(error) : error;
  }
}

async function storeSources(
  { sources }: BackupPlan,
  run: Run,
  surroundings: SourceSurroundings,
): Promise<SourceReport[]> {
  const reports: SourceReport[] = [];
  for (const source of sources) {
    const stored = storeSource(source, run, surroundings);
    reports.push(await endingWith(surroundings.context.signal, patience, stored));
  }
  return reports;
}

/** Seconds that an interrupted source may take to put everything in order. The engine may never answer it. */
const patience = 30;

/** However deep it was noticed, the same is told. */
function interrupted(cause: unknown): InterruptedError {
  return new InterruptedError('backing up: interrupted; nothing of this run was kept', { cause });
}

/** Why this snapshot is not signed, unless the one before was not either: it is said once. */
async function newsOf(
  { lacking }: Signing,
  before: Snapshot | undefined,
  repository: Repository,
): Promise<string | undefined> {
  if (lacking === undefined || before === undefined) return lacking;
  return (await repository.signedConfig(before)).signature === undefined ? undefined : lacking;
}

/** A backup of what it writes itself would never end. */
function ownDirectories(repository: Repository, { stateDir }: Context): ReadonlySet<string> {
  return new Set([repository.directory, stateDir].flatMap(identityAt));
}

/** Nothing where there is none; nor where we may not look, for there the walk cannot go either. */
function identityAt(directory: string): string[] {
  try {
    return [identityOf(statAt(currentDirectory, `${fromText(directory)}/.`))];
  } catch {
    return [];
  }
}

function isUnchanged(predecessor: Snapshot | undefined, sources: readonly SourceReport[]): boolean {
  const changes = sources.flatMap((source) => Object.values(source.changes));
  return (
    predecessor !== undefined &&
    predecessor.sources.length === sources.length &&
    changes.every((count) => count === 0)
  );
}
