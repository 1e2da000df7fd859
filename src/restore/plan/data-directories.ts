import { databaseFor } from '../../databases/databases.ts';
import {
  descriptionPath,
  readDescription,
  reasonToRefuse,
  type ServerDescription,
} from '../../databases/description.ts';
import type { ReadableRepository } from '../../repository/repository.ts';
import type { Snapshot } from '../../repository/snapshot/snapshot.ts';
import type { Context } from '../../support/context.ts';
import { DamagedError, FailedError } from '../../support/errors.ts';
import type { RestoreHost } from '../host.ts';
import { serverOf } from '../services/server-of.ts';
import { isRunning } from '../services/services.ts';
import { sourceTree } from '../tree/source-tree.ts';
import { locateFiles } from './database-files.ts';
import type { SelectedSource } from './select.ts';

/**
 * Finds where on this host the data of those databases lies that are made anew, and asks all servers, where they run,
 * whether they are old for it.
 * @throws {FailedError} when the data is on nothing that outlives the container
 */
export async function findDataDirectories(
  selected: readonly SelectedSource[],
  repository: ReadableRepository,
  snapshot: Snapshot,
  host: RestoreHost,
  context: Context,
): Promise<SelectedSource[]> {
  const found: SelectedSource[] = [];
  for (const source of selected) {
    const { database } = source;
    if (source.sqlite) found.push(await locateFiles(source, source.sqlite, host));
    else if (database) {
      const dumped = await readDescriptionOf(repository, snapshot, source.summary.name);
      const doubt = dumped && (await doubtOf(database, dumped, host, context));
      found.push({ ...source, database: { ...database, ...(doubt !== undefined && { doubt }) } });
    } else if (source.rebuilt === undefined) found.push(source);
    else found.push(await locate(source, source.rebuilt, repository, snapshot, host, context));
  }
  return found;
}

async function locate(
  source: SelectedSource,
  rebuilt: NonNullable<SelectedSource['rebuilt']>,
  repository: ReadableRepository,
  snapshot: Snapshot,
  host: RestoreHost,
  context: Context,
): Promise<SelectedSource> {
  const { title, name } = source.summary;
  if (!(await host.engine.info()).local) {
    throw new FailedError(`restoring ${title}: the data of ${rebuilt.service} is on another machine`, {
      advice: 'Run dockerctl there',
    });
  }
  const dumped = await descriptionOf(repository, snapshot, name, title);
  const mounted = await host.services.mountedAt(rebuilt.service, dumped.data);
  if (mounted === undefined) {
    throw new FailedError(
      `restoring ${title}: ${rebuilt.service} keeps ${dumped.data} on no volume of its own`,
      {
        advice: `Mount a volume or a directory at ${dumped.data} in the deployment file`,
      },
    );
  }
  const doubt = await doubtOf(rebuilt, dumped, host, context);
  return { ...source, ...mounted, rebuilt: { ...rebuilt, ...(doubt !== undefined && { doubt }) } };
}

/** What the dump of a source says of its server. */
export async function descriptionOf(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
  title: string,
): Promise<ServerDescription> {
  const described = await readDescriptionOf(repository, snapshot, source);
  if (described !== undefined) return described;
  throw new DamagedError(`restoring ${title}: its dump does not say what it was made of`, {
    advice: 'Restore from another backup: dockerctl backup list shows which are complete',
  });
}

/** `undefined` when it says nothing, as one of PostgreSQL once did. */
async function readDescriptionOf(
  repository: ReadableRepository,
  snapshot: Snapshot,
  source: string,
): Promise<ServerDescription | undefined> {
  for await (const entry of sourceTree(repository, snapshot, source, ['.'])) {
    if (entry.path === descriptionPath) return readDescription(repository.content(snapshot, entry));
  }
  return undefined;
}

async function doubtOf(
  { service, engine }: NonNullable<SelectedSource['database'] | SelectedSource['rebuilt']>,
  dumped: ServerDescription,
  host: RestoreHost,
  context: Context,
): Promise<string | undefined> {
  if (!(await isRunning(service, host.services))) return undefined;
  const server = await serverOf(service, host);
  try {
    return reasonToRefuse(dumped, await (await databaseFor(engine)).describe(server, context));
  } catch {
    context.signal.throwIfAborted();
    return undefined; // A server that is to be replaced may be broken.
  }
}
