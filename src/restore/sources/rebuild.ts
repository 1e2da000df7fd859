import {
  type ContainerCommand,
  type DatabaseServer,
  databaseFor,
  type SpareServer,
} from '../../databases/databases.ts';
import type { Engine } from '../../engine/engine.ts';
import { unlessGone } from '../../engine/unless-gone.ts';
import type { Context } from '../../support/context.ts';
import { ChecksFailedError, FailedError, messageOf } from '../../support/errors.ts';
import { toText } from '../../support/posix/byte-path.ts';
import { stagingName } from '../../support/staging-name.ts';
import { type RebuiltRecord, type RestoreJournal, saveJournal } from '../journal.ts';
import { joinPath, parentDirectory, type Target } from '../places.ts';
import { descriptionOf } from '../plan/data-directories.ts';
import type { SelectedSource } from '../plan/select.ts';
import { serverOf } from '../services/server-of.ts';
import { makeDirectory, missingDirectories } from '../swap/directories.ts';
import { readMetadata, writeMetadata } from '../swap/kept-directory.ts';
import { nameOf } from '../tree/checked-entries.ts';
import type { MetadataOptions } from '../tree/metadata.ts';
import { type DatabasePorts, dumpFiles } from './databases.ts';

/**
 * Makes the data directory of a database from its dump, in the staging directory beside the one it will replace: a
 * container of the service's image fills it and ends. From there on it is a staged tree like any other.
 */
export async function rebuildData(
  { summary, rebuilt }: SelectedSource,
  target: Target,
  ports: DatabasePorts,
  journal: RestoreJournal,
  metadata: MetadataOptions,
  context: Context,
): Promise<void> {
  const { repository, snapshot } = ports;
  const { service, engine } = rebuilt!;
  const { record } = journal;
  const made: RebuiltRecord = {
    source: summary.name,
    service,
    engine,
    spare: `dockerctl-restore-${record.id}-${summary.name}`,
  };
  record.rebuilt.push(made);
  await saveJournal(journal);
  const directory = stagedDirectory(target, record.id, metadata);
  const { data } = await descriptionOf(repository, snapshot, summary.name, summary.title);
  const spare = spareServer(made, { source: directory, target: data }, ports, context);
  const task = context.progress.begin(`rebuilding ${summary.title}`, { unit: 'bytes', total: summary.bytes });
  try {
    const files = dumpFiles(repository, snapshot, summary.name, (count) => task.advance(count));
    made.loaded = await (await databaseFor(engine)).rebuild(spare, files, context);
  } finally {
    task.end();
    await removeSpare(made.spare, ports.engine);
  }
  await saveJournal(journal);
}

/** @throws {ChecksFailedError} unless the server answers with its new data */
export async function expectServing(
  { service, engine }: RebuiltRecord,
  ports: DatabasePorts,
  context: Context,
): Promise<void> {
  const server = await serverOf(service, ports);
  await (await databaseFor(engine)).ready(server, context).catch((cause: unknown) => {
    context.signal.throwIfAborted();
    throw new ChecksFailedError(`starting ${service} with the restored data: ${messageOf(cause)}`, {
      cause,
      advice: 'The accounts of the backup are back too: was the password another one then',
    });
  });
}

/** No-op when it is gone. */
export async function removeSpare(name: string, { containers }: Engine): Promise<void> {
  await unlessGone(containers.remove(name, { force: true, volumes: true }));
}

/** Empty, with the owner and rights of the one it will replace. */
function stagedDirectory({ path }: Target, id: string, metadata: MetadataOptions): string {
  const directory = joinPath(parentDirectory(path), `${stagingName(id)}/new/${nameOf(path)}`);
  makeDirectory(directory, 0o755);
  if (missingDirectories(path).length === 0) writeMetadata(directory, readMetadata(path), metadata);
  return directory;
}

function spareServer(
  { service, spare }: RebuiltRecord,
  data: { source: string; target: string },
  { engine, services }: DatabasePorts,
  context: Context,
): SpareServer {
  const server: DatabaseServer = { engine, container: spare };
  return {
    directory: data.source,
    data: data.target,
    async start(adapt = (program: ContainerCommand) => program) {
      await removeSpare(spare, engine);
      context.signal.throwIfAborted();
      await services.createSpare(service, {
        name: spare,
        data: { ...data, source: toText(data.source) },
        adapt,
      });
      await engine.containers.start(spare);
      return server;
    },
    async stop() {
      await engine.containers.stop(spare, { timeout: patience });
      const status = (await engine.containers.inspect(spare))?.exitCode;
      if (status !== 0)
        throw new FailedError(`stopping the spare server of ${service}: it ended with ${status}`);
    },
  };
}

/** Seconds in which a server must have written everything down. */
const patience = 600;
