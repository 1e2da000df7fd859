import { randomBytes } from 'node:crypto';
import type { Context } from '../../support/context.ts';
import { DamagedError, FailedError } from '../../support/errors.ts';
import { run } from '../container/program.ts';
import type { DatabaseServer, DumpFile, LoadedDatabase, LoadedDatabases } from '../databases.ts';
import { descriptionPath, readDescription } from '../description.ts';
import { decodedName } from '../encoded-name.ts';
import { wholeScript } from '../script.ts';
import { only, textOf } from '../text.ts';
import { type Client, connect, type PostgresProgram, psql, query, terminate } from './client.ts';
import { databaseNames } from './creation-script.ts';
import { derivedName } from './derived-name.ts';
import { directoryOf, dumpGlobals, globalsPath } from './dump.ts';
import { createMissingGlobals } from './globals.ts';
import { databaseScript } from './script.ts';
import { dropDatabases } from './swap.ts';

/**
 * Loads every database of a dump into a new one whose name tells the restore it belongs to. Roles and tablespaces that
 * the server lacks are created, since what is loaded belongs to them; their passwords and rights follow with `swap`.
 *
 * Not one transaction: a database of many tables needs more locks than a server grants by default, and the new
 * database is itself what appears whole or not at all.
 */
export async function load(
  server: DatabaseServer,
  files: AsyncIterable<DumpFile>,
  token: string,
  context: Context,
): Promise<LoadedDatabases> {
  const client = await connect(server, undefined, context);
  const before = await textOf(dumpGlobals(client, context, () => {}));
  const loaded: LoadedDatabases = { token, databases: [], globals: { before, after: '' } };
  try {
    await loadFiles(client, files, loaded, context);
    return loaded;
  } catch (error) {
    const fresh = loaded.databases.map((database) => database.fresh);
    await dropDatabases(client, fresh, { ...context, signal: AbortSignal.timeout(60_000) }).catch(() => {});
    throw error;
  }
}

async function loadFiles(
  client: Client,
  files: AsyncIterable<DumpFile>,
  loaded: LoadedDatabases,
  context: Context,
): Promise<void> {
  const living = await databaseNames(client, context);
  const key = (await understandsRestrict(client, context)) ? randomBytes(16).toString('hex') : undefined;
  for await (const { path, content } of files) {
    const database = loaded.databases.at(-1);
    if (path === globalsPath) {
      loaded.globals.after = await textOf(content);
      await createMissingGlobals(client, loaded.globals.after, context);
    } else if (path.endsWith('/create.sql')) {
      const name = nameOf(path.slice(0, -'/create.sql'.length));
      loaded.databases.push(
        await createFresh(client, name, living.includes(name), loaded.token, content, context),
      );
    } else if (database && path === `${directoryOf(database.name)}/dump.sql`) {
      await fill(client, database, content, key, context);
    } else if (path === descriptionPath) {
      await readDescription(content);
    } else {
      throw new DamagedError(`loading postgres: ${path} is not part of a dump`);
    }
  }
  const unfilled = loaded.databases.find(({ tables }) => tables < 0);
  if (unfilled) throw new DamagedError(`loading postgres: the dump of database ${unfilled.name} is missing`);
}

async function createFresh(
  client: Client,
  name: string,
  existed: boolean,
  token: string,
  script: AsyncIterable<Uint8Array>,
  context: Context,
): Promise<LoadedDatabase> {
  const fresh = derivedName(name, `new_${token}`);
  const kept = derivedName(name, `old_${token}`);
  await dropDatabases(client, [fresh], context);
  const purpose = `creating database ${fresh} in ${client.server.container}`;
  const options = ['--quiet', `--set=database=${fresh}`];
  await run(client.server, psql(client, purpose, client.database, context.signal, options), script);
  return { name, existed, fresh, kept, tables: -1, rows: 0 };
}

async function fill(
  client: Client,
  database: LoadedDatabase,
  script: AsyncIterable<Uint8Array>,
  key: string | undefined,
  context: Context,
): Promise<void> {
  const purpose = `loading database ${database.name} into postgres in ${client.server.container}`;
  const loader = withoutWaiting(psql(client, purpose, database.fresh, context.signal));
  const whole = restricted(wholeScript(script, databaseScript, purpose), key);
  try {
    const { stdout } = await run(client.server, loader, whole);
    const tags = stdout.split('\n');
    database.tables = tags.filter((tag) => tag === 'CREATE TABLE').length;
    database.rows = tags.reduce((sum, tag) => sum + Number(/^COPY (\d+)$/.exec(tag)?.[1] ?? 0), 0);
  } catch (error) {
    await terminate(client, loader, context);
    throw error;
  }
  await finish(client, database, context);
}

/** Gives the planner its statistics, and looks whether all the tables are there. */
async function finish(client: Client, database: LoadedDatabase, context: Context): Promise<void> {
  const [count] = await query(
    client,
    `ANALYZE; SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')`,
    context,
    database.fresh,
  );
  if (Number(count) >= database.tables) return;
  throw new FailedError(
    `loading database ${database.name}: ${database.tables} tables were loaded, ${count} are there`,
  );
}

/** Nothing needs each statement on disk before the next: the commit of `swap` puts all of it there. */
function withoutWaiting(program: PostgresProgram): PostgresProgram {
  const options = `${program.environment.PGOPTIONS} -c synchronous_commit=off`;
  return { ...program, environment: { ...program.environment, PGOPTIONS: options } };
}

/** Keeps a script from psql's own commands, which can run programs; see CVE-2025-8714. */
async function* restricted(
  script: AsyncIterable<Uint8Array>,
  key: string | undefined,
): AsyncGenerator<Uint8Array> {
  if (key !== undefined) yield Buffer.from(`\\restrict ${key}\n`);
  yield* script;
  if (key !== undefined) yield Buffer.from(`\\unrestrict ${key}\n`);
}

async function understandsRestrict(client: Client, context: Context): Promise<boolean> {
  const probe = psql(client, 'asking psql its version', client.database, context.signal, ['--quiet']);
  return run(client.server, probe, only('\\restrict probe\n\\unrestrict probe\n')).then(
    () => true,
    () => false,
  );
}

function nameOf(directory: string): string {
  const name = decodedName(directory.slice('databases/'.length));
  if (directoryOf(name) === directory && name !== '') return name;
  throw new DamagedError(`loading postgres: ${directory} does not name a database`);
}
