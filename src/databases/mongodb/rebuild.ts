import { chown, rm, stat, writeFile } from 'node:fs/promises';
import type { Context } from '../../support/context.ts';
import { DamagedError, FailedError } from '../../support/errors.ts';
import { toFsPath } from '../../support/posix/byte-path.ts';
import { run } from '../container/program.ts';
import type { DatabaseServer, DumpFile, LoadedDatabase, SpareServer } from '../databases.ts';
import { descriptionPath, readDescription } from '../description.ts';
import { accountOf, alone } from './client.ts';
import { archivePath, archiveWithOplogPath } from './dump.ts';
import { ready } from './ready.ts';
import { type ArchiveContent, wholeArchive } from './whole-archive.ts';

/** In the data directory, while the dump is loaded: the standard input is the dump's. */
const configName = 'dockerctl.yaml';

/**
 * Lets the image make new data as it does when it is first started, and has `mongorestore` load the dump into it,
 * accounts included.
 */
export async function rebuild(
  spare: SpareServer,
  files: AsyncIterable<DumpFile>,
  context: Context,
): Promise<Pick<LoadedDatabase, 'name' | 'tables' | 'rows'>[]> {
  const server = await spare.start(alone);
  await ready(server, context);
  const content: ArchiveContent = { serverVersion: undefined, databases: new Map() };
  for await (const { path, content: bytes } of files) {
    if (path === descriptionPath) await readDescription(bytes);
    else if (path !== archivePath && path !== archiveWithOplogPath)
      throw new DamagedError(`loading mongodb: ${path} is not part of a dump`);
    else {
      const oplog = path === archiveWithOplogPath ? ['--oplogReplay'] : [];
      await load(spare, server, wholeArchive(bytes, 'loading mongodb', content), oplog, context);
    }
  }
  if (content.databases.size === 0) throw new DamagedError(`loading mongodb: ${archivePath} is missing`);
  await spare.stop();
  return [...content.databases]
    .filter(([name]) => name !== '')
    .map(([name, { collections, documents }]) => ({ name, tables: collections, rows: documents }));
}

async function load(
  spare: SpareServer,
  server: DatabaseServer,
  archive: AsyncIterable<Uint8Array>,
  options: readonly string[],
  context: Context,
): Promise<void> {
  const account = await accountOf(server, undefined, context);
  const config = toFsPath(`${spare.directory}/${configName}`);
  await writeFile(config, account.config, { mode: 0o600, flag: 'wx' });
  try {
    // Programs run as whom the server runs as, unless that is root.
    const { uid, gid } = await stat(toFsPath(spare.directory));
    await chown(config, uid, gid);
    const said = [`--config=${spare.data}/${configName}`, ...account.options];
    const purpose = `loading mongodb in ${server.container}`;
    const command = ['mongorestore', '--archive', '--drop', '--stopOnError', ...options, ...said];
    const loader = { command, environment: { LC_ALL: 'C' }, purpose, signal: context.signal };
    const { stderr } = await run(server, loader, archive);
    const failed = /([1-9]\d*) document\(s\) failed to restore/.exec(stderr)?.[0];
    if (failed !== undefined) throw new FailedError(`${purpose}: ${failed}`, { facts: { stderr } });
  } finally {
    await rm(config, { force: true });
  }
}
