import { createWriteStream } from 'node:fs';
import { chown, readdir, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../support/context.ts';
import { DamagedError, FailedError } from '../../support/errors.ts';
import { toFsPath } from '../../support/posix/byte-path.ts';
import type { ContainerCommand, DumpFile, LoadedDatabase, SpareServer } from '../databases.ts';
import { descriptionPath, readDescription } from '../description.ts';
import { ask, type Client, info, isServer, setting } from './client.ts';
import { dumpPath, keysByDatabase } from './dump.ts';
import { answering } from './ready.ts';
import { wholeDump } from './whole-dump.ts';

/** How the service's server is told to keep its data. */
interface Keeping {
  /** Name of its dump. */
  dump: string;
  /** Whether it keeps a log of commands (AOF), which it then reads at its start instead of any dump. */
  log: boolean;
}

/**
 * Makes a data directory from a dump. The server is started twice over it: empty, to learn how it is told to keep its
 * data, and with the dump in it. Where it keeps a log of commands it is then made to write one, for it would ignore the
 * dump.
 */
export async function rebuild(
  spare: SpareServer,
  files: AsyncIterable<DumpFile>,
  context: Context,
): Promise<Pick<LoadedDatabase, 'name' | 'tables' | 'rows'>[]> {
  const keeping = await howItKeeps(spare, context);
  await makeEmpty(spare.directory);
  let found = false;
  for await (const { path, content } of files) {
    if (path === descriptionPath) await readDescription(content);
    else if (path !== dumpPath) throw new DamagedError(`loading redis: ${path} is not part of a dump`);
    else await place(wholeDump(content, 'loading redis'), spare.directory, keeping.dump);
    found ||= path === dumpPath;
  }
  if (!found) throw new DamagedError(`loading redis: ${dumpPath} is missing`);
  return load(spare, keeping, context);
}

async function howItKeeps(spare: SpareServer, context: Context): Promise<Keeping> {
  const client = await start(spare, ['--save', ''], context);
  const dump = (await setting(client, 'dbfilename', context)) ?? 'dump.rdb';
  const log = (await setting(client, 'appendonly', context)) === 'yes';
  const cluster = (await setting(client, 'cluster-enabled', context)) === 'yes';
  const directory = await setting(client, 'dir', context);
  await spare.stop();
  if (cluster)
    throw new FailedError('loading redis: the service is a node of a cluster, whose place no dump holds');
  if (directory !== spare.data)
    throw new FailedError(`loading redis: it keeps its data in ${directory}, not in ${spare.data}`);
  if (dump.includes('/') || dump.startsWith('.'))
    throw new FailedError(`loading redis: ${dump} is no name for a dump`);
  return { dump, log };
}

async function load(spare: SpareServer, { log }: Keeping, context: Context) {
  const client = await start(spare, ['--save', '', '--appendonly', 'no'], context);
  const keys = await keysByDatabase(client, context);
  if (log) await writeLog(client, context);
  await spare.stop();
  return keys.map((database) => ({ ...database, tables: 0 }));
}

/**
 * Without a port, on a socket in its data directory; whatever it is told about its address is in use, or not to be had.
 */
async function start(spare: SpareServer, options: readonly string[], context: Context): Promise<Client> {
  const socket = `${spare.data}/dockerctl.sock`;
  const server = await spare.start(({ entrypoint, command }: ContainerCommand) => ({
    entrypoint,
    command: isServer(command) ? [...command, '--port', '0', '--unixsocket', socket, ...options] : command,
  }));
  return answering(server, context, socket);
}

async function writeLog(client: Client, context: Context): Promise<void> {
  await ask(client, ['CONFIG', 'SET', 'appendonly', 'yes'], context);
  for (;;) {
    const said = await info(client, 'persistence', context);
    const busy = ['aof_rewrite_in_progress', 'aof_rewrite_scheduled'].some(
      (field) => said.get(field) === '1',
    );
    if (!busy && said.get('aof_last_bgrewrite_status') === 'ok') return;
    if (!busy) throw new FailedError('loading redis: it could not write its log of commands');
    await setTimeout(200, undefined, { signal: context.signal });
  }
}

async function makeEmpty(directory: string): Promise<void> {
  for (const name of await readdir(toFsPath(directory))) {
    await rm(toFsPath(`${directory}/${name}`), { recursive: true });
  }
}

/** A file that the server may read: it has made the directory its own. */
async function place(content: AsyncIterable<Uint8Array>, directory: string, name: string): Promise<void> {
  const path = toFsPath(`${directory}/${name}`);
  await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  const { uid, gid } = await stat(toFsPath(directory));
  await chown(path, uid, gid);
}
