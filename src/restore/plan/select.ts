import type { DatabaseEngine } from '../../deployment/backup-settings.ts';
import { databaseEngines } from '../../deployment/backup-settings.ts';
import type { Snapshot, SourceSummary } from '../../repository/repository.ts';
import { DamagedError, NotFoundError, UsageError } from '../../support/errors.ts';

export interface Selection {
  /** Names of sources; all when empty. */
  only: readonly string[];
  /** Sources that the deployment file marks `full` as well. */
  full: boolean;
  /** Write everything under this directory instead, and leave the host and its engine alone. */
  to: string | undefined;
}

/** A source to be restored, and what it was made from. */
export interface SelectedSource {
  summary: SourceSummary;
  /** Absolute paths on the host; text. */
  paths?: string[];
  /** Name of the engine's volume. */
  volume?: string;
  database?: { service: string; engine: DatabaseEngine };
}

/**
 * Which sources of a snapshot are restored, and why the others are not.
 * @param fullSources names of the sources that are for `--full` only
 * @throws {NotFoundError} for a name that the snapshot does not have
 */
export function selectSources(
  snapshot: Snapshot,
  selection: Selection,
  fullSources: ReadonlySet<string>,
): { selected: SelectedSource[]; skipped: { name: string; title: string; reason: string }[] } {
  const names = snapshot.sources.map(({ name }) => name);
  const unknown = selection.only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new NotFoundError(`snapshot ${snapshot.id.slice(0, 19)} has no source ${unknown.join(', ')}`, {
      advice: `It has ${names.join(', ')}.`,
      facts: { unknown, names },
    });
  }
  const selected: SelectedSource[] = [];
  const skipped: { name: string; title: string; reason: string }[] = [];
  for (const summary of snapshot.sources) {
    const reason = reasonToSkip(summary, selection, fullSources);
    if (reason === undefined)
      selected.push(selection.to === undefined ? describe(summary) : besides(summary));
    else skipped.push({ name: summary.name, title: summary.title, reason });
  }
  return { selected, skipped };
}

function reasonToSkip(
  { name, kind }: SourceSummary,
  { only, full, to }: Selection,
  fullSources: ReadonlySet<string>,
): string | undefined {
  if (only.length > 0 && !only.includes(name)) return 'not asked for';
  if (to === undefined && !['paths', 'volume', 'dump'].includes(kind))
    return 'put back by hand: --to DIR writes it out';
  if (only.length > 0) return undefined;
  return fullSources.has(name) && !full ? 'only with --full' : undefined;
}

/** Written out as files: nobody needs to know what they were made from. */
function besides(summary: SourceSummary): SelectedSource {
  return summary.kind === 'paths' ? { summary, paths: texts(summary, 'paths') } : { summary };
}

function describe(summary: SourceSummary): SelectedSource {
  const { kind, origin, title } = summary;
  if (kind === 'paths') return { summary, paths: texts(summary, 'paths') };
  if (kind === 'volume') return { summary, volume: text(summary, 'volume') };
  if (kind === 'dump') {
    const engine = databaseEngines.find((known) => known === origin.engine);
    if (engine === undefined)
      throw new UsageError(`restoring ${title}: no database engine ${String(origin.engine)}`);
    return { summary, database: { service: text(summary, 'service'), engine } };
  }
  return { summary };
}

function text(summary: SourceSummary, key: string): string {
  const value = summary.origin[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new DamagedError(`restoring ${summary.title}: the snapshot does not say its ${key}`);
}

function texts(summary: SourceSummary, key: string): string[] {
  const value = summary.origin[key];
  if (Array.isArray(value) && value.every((path) => path.startsWith('/'))) return value;
  throw new DamagedError(`restoring ${summary.title}: the snapshot does not say its ${key}`);
}
