import { isRenamed, type RebuiltEngine, type RenamedEngine } from '../../databases/databases.ts';
import type { CommandSource, FileFilter, Source } from '../../deployment/backup-settings.ts';
import { databaseEngines } from '../../deployment/backup-settings.ts';
import { shortId } from '../../repository/snapshot/short-id.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import { DamagedError, NotFoundError, UsageError } from '../../support/errors.ts';

export interface Selection {
  /** Names of sources; all when empty. */
  only: readonly string[];
  /** Sources that the deployment file marks `full` as well. */
  full: boolean;
  /** Write everything under this directory instead, and leave the host and its engine alone. */
  to: string | undefined;
  /** `false`: the deployment file is a stranger's, and its commands are not run on this host. */
  hostCommands?: boolean;
}

/** Which sources are restored, and why the others are not. */
export interface Chosen {
  selected: SelectedSource[];
  skipped: { name: string; title: string; reason: string }[];
}

/** A source to be restored, and what it was made from. */
export interface SelectedSource {
  summary: SourceSummary;
  /** Absolute paths on the host; text. */
  paths?: string[];
  /** Name of the engine's volume. */
  volume?: string;
  /** Loaded through its server. */
  database?: { service: string; engine: RenamedEngine; doubt?: string };
  /** Made anew as a data directory: `volume`, or `directory` on the host. */
  rebuilt?: { service: string; engine: RebuiltEngine; doubt?: string };
  directory?: string;
  /** Database files, in the container of `service` or on the host. */
  sqlite?: { service: string | undefined; files: string[] };
  /** Where those are on this host, each with its path in the tree; and the volumes that they are in. */
  files?: { root: string; path: string }[];
  volumes?: string[];
  /** The deployment file's own commands: what a snapshot says is not run. */
  command?: CommandSource;
  /** What backups of its files leave out, where that is known. */
  filter?: FileFilter;
  /** It is the images of services. */
  images?: boolean;
}

/**
 * Which sources of a snapshot are restored, and why the others are not.
 * @param sources what the deployment file says of them
 * @throws {NotFoundError} for a name that the snapshot does not have
 */
export function selectSources(snapshot: Snapshot, selection: Selection, sources: readonly Source[]): Chosen {
  const names = snapshot.sources.map(({ name }) => name);
  const unknown = selection.only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new NotFoundError(`snapshot ${shortId(snapshot.id)} has no source ${unknown.join(', ')}`, {
      advice: `It has ${names.join(', ')}`,
      facts: { unknown, names },
    });
  }
  const { selected, skipped }: Chosen = { selected: [], skipped: [] };
  for (const summary of snapshot.sources) {
    const reason = reasonToSkip(summary, selection, sources);
    if (reason === undefined)
      selected.push(selection.to === undefined ? describe(summary, sources) : besides(summary));
    else skipped.push({ name: summary.name, title: summary.title, reason });
  }
  return { selected, skipped };
}

function reasonToSkip(
  { name, kind }: SourceSummary,
  { only, full, to, hostCommands = true }: Selection,
  sources: readonly Source[],
): string | undefined {
  if (only.length > 0 && !only.includes(name)) return 'not asked for';
  const declared = sources.find((source) => source.name === name);
  if (to === undefined && kind === 'deployment') return 'put back by hand: --to DIR writes it out';
  if (to === undefined && kind === 'run' && declared?.kind !== 'run') {
    return hostCommands
      ? 'the deployment file does not say which command brings it back'
      : 'the command that brings it back is not run without --allow-hooks';
  }
  return only.length === 0 && declared?.full && !full ? 'only with --full' : undefined;
}

/** Written out as files: nobody needs to know what they were made from. */
function besides(summary: SourceSummary): SelectedSource {
  return summary.kind === 'paths' ? { summary, paths: texts(summary, 'paths') } : { summary };
}

function describe(summary: SourceSummary, sources: readonly Source[]): SelectedSource {
  const { name, kind, origin, title } = summary;
  if (kind === 'images') return { summary, images: true };
  const declared = sources.find((source) => source.name === name);
  if (kind === 'run' && declared?.kind === 'run') return { summary, command: declared };
  if (kind === 'paths') return { summary, paths: texts(summary, 'paths') };
  if (kind === 'volume') return { summary, volume: text(summary, 'volume') };
  if (kind === 'dump') {
    const engine = databaseEngines.find((known) => known === origin.engine);
    if (engine === undefined)
      throw new UsageError(`restoring ${title}: no database engine ${String(origin.engine)}`);
    if (engine === 'sqlite') return { summary, sqlite: sqliteOf(summary) };
    const service = text(summary, 'service');
    return isRenamed(engine)
      ? { summary, database: { service, engine } }
      : { summary, rebuilt: { service, engine } };
  }
  return { summary };
}

function sqliteOf(summary: SourceSummary): NonNullable<SelectedSource['sqlite']> {
  const service = summary.origin.service === undefined ? undefined : text(summary, 'service');
  return { service, files: texts(summary, 'files') };
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
