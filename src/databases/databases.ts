import type { DatabaseEngine as DatabaseEngineName } from '../deployment/backup-settings.ts';
import type { Engine } from '../engine/engine.ts';
import type { Context } from '../support/context.ts';
import type { ServerDescription } from './description.ts';

/**
 * One kind of database: how it is dumped while it serves, and how a dump becomes living data again. Everything runs
 * inside the server's own container, or one of the same image, with the programs that came with it; no password is ever
 * an argument.
 */
export type Database = RenamedDatabase | RebuiltDatabase;

/** Engines whose databases are restored by renaming them, and the others. */
export type RenamedEngine = 'postgres';
export type RebuiltEngine = Exclude<DatabaseEngineName, RenamedEngine | 'sqlite'>;

/** Those that have a server; SQLite is files. */
export type ServerEngine = RenamedEngine | RebuiltEngine;

/** Whether restored databases take the place of the old ones by name, in the running server. */
export function isRenamed(engine: ServerEngine): engine is RenamedEngine {
  return engine === 'postgres';
}

interface DumpedDatabase {
  /**
   * The server's content as files, consistent per file, in the order of their paths, each to be read to its end before
   * the next is asked for. Reading a file to its end throws (`FailedError`, `DamagedError`) unless the dump program
   * exited with 0 and said in the dump itself that it is complete: what was read without a throw is whole.
   */
  dump(server: DatabaseServer, options: DumpOptions, context: Context): AsyncIterable<DumpFile>;
  /**
   * Waits until the server takes connections for good; a new one may start twice before it does.
   * @throws {FailedError} when it does not in time
   */
  ready(server: DatabaseServer, context: Context): Promise<void>;
  /** What the server is and its version, as the `server.json` of its dumps says it: see `description.ts`. */
  describe(server: DatabaseServer, context: Context): Promise<ServerDescription>;
}

/** One that can give a database another name while it serves: a dump is loaded beside, and renamed into place. */
export interface RenamedDatabase extends DumpedDatabase {
  restoredBy: 'renaming';
  /**
   * Loads a dump beside what lives, which stays as it is. Run again with the same token after a kill, it begins anew.
   * @throws {DamagedError} when the files are not a whole dump. @throws {FailedError} when the server refuses some of
   * it. Either way what was loaded so far is gone again.
   */
  load(
    server: DatabaseServer,
    files: AsyncIterable<DumpFile>,
    token: string,
    context: Context,
  ): Promise<LoadedDatabases>;
  /** Puts what was loaded in the place of what lives, which is kept. A repetition changes nothing. */
  swap(server: DatabaseServer, loaded: LoadedDatabases, context: Context): Promise<void>;
  /** The way back, before or after `swap`: what lived before lives again, and what was loaded is gone. */
  undo(server: DatabaseServer, loaded: LoadedDatabases, context: Context): Promise<void>;
  /** Drops what a `load` that was killed left behind. */
  discard(server: DatabaseServer, token: string, context: Context): Promise<void>;
  /** Drops what `swap` kept. There is no way back from here. */
  dropKept(server: DatabaseServer, loaded: LoadedDatabases, context: Context): Promise<void>;
}

/**
 * One that cannot: a whole data directory is made from the dump, beside the one in use, and exchanged with it like any
 * other directory while the service is stopped.
 */
export interface RebuiltDatabase extends DumpedDatabase {
  restoredBy: 'rebuilding';
  /**
   * Makes the data directory of a spare server from a dump, and leaves the server stopped.
   * @throws {DamagedError} when the files are not a whole dump.
   * @throws {FailedError} when the server refuses some of it
   */
  rebuild(
    spare: SpareServer,
    files: AsyncIterable<DumpFile>,
    context: Context,
  ): Promise<Pick<LoadedDatabase, 'name' | 'tables' | 'rows'>[]>;
}

/** A database server in a running container. */
export interface DatabaseServer {
  engine: Engine;
  /** Name or id of its container. */
  container: string;
}

/** The image of a service with its settings, without a network, over a data directory that is being made. */
export interface SpareServer {
  /** Of its data on this host, one character per byte; empty at first. And inside the container. */
  directory: string;
  data: string;
  /** Starts it in a new container. @param adapt changes what the container runs, given what that of the service does */
  start(adapt?: (program: ContainerCommand) => ContainerCommand): Promise<DatabaseServer>;
  /** Stops it as its service is stopped. @throws {FailedError} unless it ends with exit status 0 */
  stop(): Promise<void>;
}

/** What a container runs. */
export interface ContainerCommand {
  entrypoint: readonly string[];
  command: readonly string[];
}

export interface DumpOptions {
  /** The account the dump program uses; found out when left out. */
  user?: string | undefined;
  /** Only these databases; all of them when left out or empty. */
  databases?: readonly string[] | undefined;
  /** Seconds the whole of it may take. */
  timeout?: number | undefined;
  /** Is given what the dump program said on stderr although it succeeded, bounded. */
  warn(message: string): void;
}

/** One file of a dump. */
export interface DumpFile {
  /** Relative, `/` between its parts, printable ASCII. */
  path: string;
  content: AsyncIterable<Uint8Array>;
}

/** What `load` made and the way back needs; plain data, which a journal can keep. Holds password hashes. */
export interface LoadedDatabases {
  token: string;
  databases: LoadedDatabase[];
  /** The server's roles and their settings, as they were and as the dump wants them. */
  globals: { before: string; after: string };
}

/** A database that was loaded beside what lives. */
export interface LoadedDatabase {
  name: string;
  /** Whether one of this name lived before. */
  existed: boolean;
  /** Name of what was loaded until `swap`. */
  fresh: string;
  /** Name of what lived before, after `swap`. */
  kept: string;
  tables: number;
  rows: number;
}

/** How databases of this engine are dumped and restored, loaded when it is asked for. */
export async function databaseFor(engine: RenamedEngine): Promise<RenamedDatabase>;
export async function databaseFor(engine: RebuiltEngine): Promise<RebuiltDatabase>;
export async function databaseFor(engine: ServerEngine): Promise<Database>;
export async function databaseFor(engine: ServerEngine): Promise<Database> {
  switch (engine) {
    case 'postgres':
      return (await import('./postgres/postgres.ts')).postgres;
    case 'mysql':
    case 'mariadb':
      return (await import('./mysql/mysql.ts')).mysql;
    case 'redis':
      return (await import('./redis/redis.ts')).redis;
    case 'mongodb':
      return (await import('./mongodb/mongodb.ts')).mongodb;
  }
}
