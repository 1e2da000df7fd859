import type { BackupSettings, BusyCheck, Source } from '../deployment/backup-settings.ts';
import type { Deployment } from '../deployment/deployment.ts';
import { decodeRecipient } from '../repository/age/keys.ts';
import type { SourceSummary } from '../repository/snapshot/snapshot.ts';
import { UsageError } from '../support/errors.ts';

/** What a backup would do. */
export interface BackupPlan {
  repository: string;
  /** Who can open the snapshot; nobody: it is not encrypted. */
  recipients: string[];
  sources: PlannedSource[];
  /** Sources that are saved with `full` only. */
  leftOut: PlannedSource[];
  checks: BusyCheck[];
  /** Bytes that must stay free. */
  minFree: number;
  /** Whether the engine must answer. */
  needsEngine: boolean;
}

/** A source as its snapshot will tell of it, and how it is saved. */
export type PlannedSource = Pick<SourceSummary, 'name' | 'title' | 'kind' | 'origin'> & {
  settings: Source | { kind: 'deployment' };
};

/** @throws {UsageError} when the deployment file says nothing about backups, or names a recipient that is none */
export function planBackup(deployment: Deployment, { full }: { full: boolean }): BackupPlan {
  const { repository, recipients, minFree, refuseWhile, sources } = settingsOf(deployment);
  const taken = sources.filter((source) => full || !source.full);
  return {
    repository,
    recipients: checked(recipients),
    sources: [deploymentFile(deployment), ...taken.map((source) => plannedSource(source, deployment))],
    leftOut: sources
      .filter((source) => !taken.includes(source))
      .map((source) => plannedSource(source, deployment)),
    checks: refuseWhile,
    minFree,
    needsEngine: taken.some(livesInEngine) || refuseWhile.some(({ service }) => service !== undefined),
  };
}

function settingsOf(deployment: Deployment): BackupSettings {
  if (deployment.backup !== undefined) return deployment.backup;
  throw new UsageError(`${deployment.file} does not say what to back up`, {
    advice: 'Name a repository and sources there, under x-dockerctl: backup',
  });
}

/** A typing error must be told before anything is done. */
function checked(recipients: string[]): string[] {
  for (const recipient of recipients) decodeRecipient(recipient);
  return recipients;
}

function livesInEngine(source: Source): boolean {
  if (source.kind === 'paths') return false;
  return source.kind === 'run' || source.kind === 'dump' ? source.service !== undefined : true;
}

function deploymentFile({ file }: Deployment): PlannedSource {
  const kind = 'deployment';
  return { name: kind, title: 'Deployment file', kind, origin: { file }, settings: { kind } };
}

function plannedSource(source: Source, deployment: Deployment): PlannedSource {
  const { name, title, kind } = source;
  return { name, title, kind, origin: originOf(source, deployment), settings: source };
}

function originOf(source: Source, { volumes }: Deployment): PlannedSource['origin'] {
  switch (source.kind) {
    case 'paths':
      return { paths: source.paths };
    case 'volume':
      return { volume: volumes.find(({ key }) => key === source.volume)?.name ?? source.volume };
    case 'dump':
      if (source.engine !== 'sqlite') return { engine: source.engine, service: source.service };
      return {
        engine: source.engine,
        files: source.files,
        ...(source.service !== undefined && { service: source.service }),
      };
    case 'run':
      return { restore: source.restore, ...(source.service !== undefined && { service: source.service }) };
    case 'images':
      return {};
  }
}
