import type { Entry } from '../../repository/entry.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot, SourceSummary } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { syncFileSystem } from '../../support/posix/sync.ts';
import { withPath } from '../../support/posix/whole-path.ts';
import { type RestoreJournal, saveJournal } from '../journal.ts';
import { hostPath, isUntouched, type Layout, parentDirectory, type Target, targetOf } from '../places.ts';
import type { Ground } from '../plan/ground.ts';
import type { SelectedSource } from '../plan/select.ts';
import { restoreError } from '../restore-error.ts';
import { makeDirectory, missingDirectories } from '../swap/directories.ts';
import { readMetadata, storeMetadata } from '../swap/kept-directory.ts';
import { planMoves } from '../swap/moves.ts';
import { createStaging, type Staging } from '../swap/staging.ts';
import { nameOf } from '../tree/checked-entries.ts';
import type { MetadataOptions } from '../tree/metadata.ts';
import { sourceTree } from '../tree/source-tree.ts';
import { type Destinations, writeTree } from '../tree/tree-writer.ts';

/** What is to be written, and where. */
export interface StagedFiles {
  repository: ReadableRepository;
  snapshot: Snapshot;
  selected: readonly SelectedSource[];
  ground: Pick<Ground, 'targets' | 'layout'>;
  journal: RestoreJournal;
  metadata: MetadataOptions;
  /** Makes the data directory of a database that is no tree of the snapshot. */
  rebuild(source: SelectedSource, target: Target): Promise<void>;
}

/**
 * Writes the files of all sources beside what they will replace, on the same file systems, reads them back, and puts
 * them on the disk. Nothing that lives changes; the journal knows every directory that was made.
 */
export async function stageFiles(files: StagedFiles, context: Context): Promise<void> {
  const { selected, ground, journal } = files;
  const { targets, layout } = ground;
  const stagings = await createPlaces(layout, journal);
  try {
    for (const chosen of selected) {
      const own = targets.filter(({ source }) => source === chosen.summary.name);
      if (chosen.rebuilt && own[0]) await files.rebuild(chosen, own[0]);
      if (chosen.rebuilt || own.length === 0) continue;
      await stageTree(files, chosen.summary, own, destinations(own, layout, stagings), context);
    }
    for (const [directory, { place }] of stagings) {
      await syncFileSystem(place).catch((error: unknown) => {
        throw withPath(error, directory);
      });
    }
  } finally {
    for (const staging of stagings.values()) staging.close();
  }
  for (const place of layout.places) {
    const record = journal.record.places.find(({ directory }) => directory === place.directory)!;
    record.moves = planMoves(place, layout.kept, journal.record.id);
  }
}

async function stageTree(
  { repository, snapshot, journal, metadata }: StagedFiles,
  { name, title, bytes }: SourceSummary,
  targets: readonly Target[],
  to: Destinations,
  { progress, signal }: Context,
): Promise<void> {
  const task = progress.begin(`restoring ${title}`, { unit: 'bytes', total: bytes });
  const roots = targets.map(({ root }) => root);
  try {
    const entries = sourceTree(repository, snapshot, name, roots);
    await writeTree(withoutUntouched(entries, targets), to, {
      ...metadata,
      pathOf: ({ path }) => pathOnHost(targets, path) ?? path,
      content: (entry) => repository.content(snapshot, entry),
      onBytes: (count) => task.advance(count),
      onKept: (entry) => recordMetadata(journal, targets, entry),
      signal,
    });
  } catch (error) {
    throw restoreError(`restoring ${title}`, error);
  } finally {
    task.end();
  }
}

async function* withoutUntouched(
  entries: AsyncIterable<Entry>,
  targets: readonly Target[],
): AsyncGenerator<Entry> {
  for await (const entry of entries) {
    const target = targetOf(targets, entry.path);
    if (target === undefined || !isUntouched(target, entry.path)) yield entry;
  }
}

async function createPlaces({ places }: Layout, journal: RestoreJournal): Promise<Map<string, Staging>> {
  const { record } = journal;
  record.createdDirectories = [...new Set(places.flatMap(({ directory }) => missingDirectories(directory)))];
  record.places = places.map(({ directory, companions }) => ({ directory, moves: [], companions }));
  record.times = timesOf([
    ...places.map(({ directory }) => directory),
    ...record.createdDirectories.map(parentDirectory),
  ]);
  await saveJournal(journal);
  const mode = record.request.to === undefined ? 0o755 : 0o700;
  for (const directory of record.createdDirectories) makeDirectory(directory, mode);
  const stagings = new Map<string, Staging>();
  try {
    for (const { directory } of places) stagings.set(directory, createStaging(directory, record.id));
  } catch (error) {
    for (const staging of stagings.values()) staging.close();
    throw error;
  }
  return stagings;
}

/** Of those that exist. */
function timesOf(directories: readonly string[]): { directory: string; mtime: string }[] {
  return [...new Set(directories)]
    .filter((directory) => missingDirectories(directory).length === 0)
    .map((directory) => ({ directory, mtime: readMetadata(directory).mtime }));
}

function destinations(
  targets: readonly Target[],
  { kept }: Layout,
  stagings: ReadonlyMap<string, Staging>,
): Destinations {
  return {
    rootAt(path) {
      const target = targets.find(({ root }) => root === path);
      if (target === undefined || kept.has(target.path)) return undefined;
      return { directory: stagings.get(parentDirectory(target.path))!.fresh, name: nameOf(target.path) };
    },
    keptAt(path) {
      if (kept.size === 0) return undefined;
      const onHost = pathOnHost(targets, path);
      return onHost !== undefined && kept.has(onHost) ? stagings.get(onHost)!.fresh : undefined;
    },
  };
}

function pathOnHost(targets: readonly Target[], path: string): string | undefined {
  const target = targetOf(targets, path);
  return target && hostPath(target, path);
}

function recordMetadata({ record }: RestoreJournal, targets: readonly Target[], entry: Entry): void {
  const directory = hostPath(targetOf(targets, entry.path)!, entry.path);
  const place = record.places.find((known) => known.directory === directory)!;
  place.metadata = { before: readMetadata(directory), after: storeMetadata(entry) };
}
