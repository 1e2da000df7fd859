import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Deployment } from '../../../deployment/deployment.ts';
import type { ReadableRepository } from '../../../repository/repository.ts';
import type { TrustedKeys } from '../../../repository/signed/provenance.ts';
import { shortId } from '../../../repository/snapshot/short-id.ts';
import type { Snapshot } from '../../../repository/snapshot/snapshot.ts';
import type { AdoptedFile } from '../../../restore/deployment-file/adopted-file.ts';
import type { SavedDeployment } from '../../../restore/deployment-file/saved-deployment.ts';
import { UsageError } from '../../../support/errors.ts';
import { deploymentIfAny, isDeploymentNamed } from '../../arguments/deployment-file.ts';
import type { Session } from '../../context.ts';

/** On a machine that has no deployment file: the one that the snapshot holds. */
export interface Adopted {
  /** The same session, with that for its deployment. */
  session: Session;
  /** What the operator should know before saying yes. */
  notes: string[];
  /** Whether its commands on the host may be run. */
  hostCommands: boolean;
  file: AdoptedFile;
}

/**
 * @param allowHooks run its commands on the host although nobody vouches for the snapshot
 * @returns `undefined` where there is a deployment file
 */
export async function adoptDeployment(
  session: Session,
  { repository, snapshot: name }: { repository: ReadableRepository; snapshot: string },
  { keys, allowHooks }: { keys: TrustedKeys; allowHooks: boolean },
): Promise<Adopted | undefined> {
  if ((await deploymentIfAny(session)) !== undefined) return undefined;
  const [{ savedDeployment }, { requireProvenance }, { withoutHostCommands }] = await Promise.all([
    import('../../../restore/deployment-file/saved-deployment.ts'),
    import('../../../repository/signed/provenance.ts'),
    import('../../../deployment/commands/host-commands.ts'),
  ]);
  const snapshot = await repository.find(name);
  const what = `snapshot ${shortId(snapshot.id)}`;
  const { trust } = await requireProvenance(await repository.signedConfig(snapshot), keys, what);
  const saved = await savedDeployment(repository, snapshot);
  refuseExisting(saved);
  const file = { ...saved, release: session.global.release ?? snapshot.release };
  const whole = await readAdopted(session, file).catch((error) => sayWhereTheRestIs(error, file, snapshot));
  const hostCommands = allowHooks || trust !== 'foreign';
  const { deployment, left } = withoutHostCommands(whole);
  const notes = [`the deployment file comes from the snapshot, and is put at ${saved.file}`];
  if (!hostCommands)
    notes.push(...left.map((command) => `not run on this host without --allow-hooks: ${command}`));
  const acting = { ...session, deployment: async () => (hostCommands ? whole : deployment) };
  return { session: acting, notes, hostCommands, file };
}

/**
 * The same session with the deployment file that an unfinished restore brought along, unless another one is named. It
 * may not have come to writing it.
 */
export async function withAdopted(session: Session, adopted: AdoptedFile | undefined): Promise<Session> {
  if (adopted === undefined || isDeploymentNamed(session)) return session;
  const deployment = await readAdopted(session, adopted);
  return { ...session, deployment: async () => deployment };
}

/** As it is on this host, or else as the snapshot has it. */
async function readAdopted({ io }: Session, { file, text, release }: AdoptedFile): Promise<Deployment> {
  const { readDeployment } = await import('../../../deployment/read.ts');
  return readDeployment(file, {
    environment: io.environment,
    ...(!existsSync(file) && { text }),
    ...(release !== undefined && { release }),
  });
}

/** What the file says beside it is in no snapshot by itself, and cannot come back before the file is understood. */
function sayWhereTheRestIs(error: unknown, { file }: AdoptedFile, { id, sources }: Snapshot): never {
  if (!(error instanceof UsageError)) throw error;
  const beside = join(dirname(file), '.env');
  const holds = (path: string) => path === beside || beside.startsWith(path.replace(/\/*$/, '/'));
  const source = sources.find(({ origin }) => [origin.paths ?? []].flat().some(holds));
  const fetching =
    source === undefined || existsSync(beside)
      ? error.advice
      : `Fetch ${beside} first, with --only ${source.name} --to DIR, and copy it there from DIR/${source.name}${beside}`;
  throw new UsageError(`the deployment file of snapshot ${shortId(id)}: ${error.message}`, {
    ...(fetching !== undefined && { advice: fetching }),
    facts: error.facts,
    cause: error,
  });
}

/** It was not found where such files are looked for, and is there all the same: what it says may be wanted. */
function refuseExisting({ file }: SavedDeployment): void {
  if (!existsSync(file)) return;
  throw new UsageError(`restoring: the deployment file ${file} is there, and was not named`, {
    advice: `Say --file ${file}, or move it away to take the one of the snapshot`,
  });
}
