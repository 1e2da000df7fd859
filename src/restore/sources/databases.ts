import { type DumpFile, databaseFor } from '../../databases/databases.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { counted } from '../../support/counted.ts';
import type { RestoreHost } from '../host.ts';
import { type DatabaseRecord, type RestoreJournal, saveJournal } from '../journal.ts';
import { serverOf } from '../services/server-of.ts';
import { sourceTree } from '../tree/source-tree.ts';

/** What loading and swapping databases needs. */
export interface DatabasePorts extends RestoreHost {
  repository: ReadableRepository;
  snapshot: Snapshot;
}

/** Loads a dump beside what lives in its service, which runs; the journal knows the result. */
export async function loadDatabase(
  database: DatabaseRecord,
  ports: DatabasePorts,
  journal: RestoreJournal,
  context: Context,
): Promise<void> {
  const { repository, snapshot } = ports;
  const server = await serverOf(database.service, ports);
  const kind = await databaseFor(database.engine);
  await kind.ready(server, context);
  const bytes = snapshot.sources.find(({ name }) => name === database.source)?.bytes ?? 0;
  const task = context.progress.begin(`loading ${database.source}`, { unit: 'bytes', total: bytes });
  try {
    const files = dumpFiles(repository, snapshot, database.source, (count) => task.advance(count));
    database.loaded = await kind.load(server, files, journal.record.id, context);
  } finally {
    task.end();
  }
  await saveJournal(journal);
}

/** Lets what was loaded take the place of the old databases. */
export async function swapDatabase(
  database: DatabaseRecord,
  ports: DatabasePorts,
  context: Context,
): Promise<void> {
  const server = await serverOf(database.service, ports);
  await (await databaseFor(database.engine)).swap(server, database.loaded!, context);
}

/** The files of a dump, as they were saved. */
export async function* dumpFiles(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  onBytes: (count: number) => void,
): AsyncGenerator<DumpFile> {
  for await (const entry of sourceTree(repository, snapshot, source, ['.'])) {
    if (entry.type !== 'file') continue;
    yield { path: entry.path, content: counted(repository.content(snapshot, entry), onBytes) };
  }
}
