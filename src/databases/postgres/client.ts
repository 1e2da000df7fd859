import { randomBytes } from 'node:crypto';
import type { Context } from '../../support/context.ts';
import { environmentOf, toldIn } from '../container/environment.ts';
import { type ContainerProgram, run } from '../container/program.ts';
import type { DatabaseServer } from '../databases.ts';
import { only } from '../text.ts';

/** How we speak to the PostgreSQL server of a container: as its superuser, over its own socket. */
export interface Client {
  server: DatabaseServer;
  superuser: string;
  /** The operating system's account inside the container; the container's own when undefined. */
  osUser: string | undefined;
  password: string | undefined;
  /** Where we are while we speak of the others. */
  database: string;
}

/** One of PostgreSQL's own programs, which is told by its environment where to connect. */
export interface PostgresProgram extends ContainerProgram {
  environment: Record<string, string>;
}

/**
 * Finds the account that may do everything: `POSTGRES_USER` of the container, else `postgres`; run as the system user
 * `postgres` (peer authentication), else as the container's own user. The password, where one is needed, is the
 * container's `POSTGRES_PASSWORD`, passed in the environment. Both may stand in files that these name with `_FILE`.
 * @throws {FailedError} when none of them gets in.
 */
export async function connect(
  server: DatabaseServer,
  user: string | undefined,
  context: Context,
): Promise<Client> {
  return (await connectAsking('SELECT 1', server, user, context)).client;
}

/**
 * `connect`, with a first question and its answer: for every question the engine starts a program in the container,
 * for which customers of the server wait.
 * @param sql only asks: it is put again where an account or database does not answer
 */
export async function connectAsking(
  sql: string,
  server: DatabaseServer,
  user: string | undefined,
  context: Context,
): Promise<{ client: Client; answer: string[] }> {
  const environment = await environmentOf(server, 'postgres');
  const told = (name: string) => toldIn(name, environment, server, context);
  const superuser = user ?? (await told('POSTGRES_USER')) ?? 'postgres';
  const password = await told('POSTGRES_PASSWORD');
  let failure: unknown;
  for (const osUser of ['postgres', undefined]) {
    // Every server has template1, but whoever is in it keeps others from creating databases.
    for (const database of ['postgres', 'template1']) {
      const client = { server, superuser, osUser, password, database };
      try {
        return { client, answer: await query(client, sql, context) };
      } catch (error) {
        context.signal.throwIfAborted();
        failure ??= error;
      }
    }
  }
  throw failure;
}

/** Runs statements one by one, the first error ends it; returns the first column of every row. */
export async function query(
  client: Client,
  sql: string,
  context: Context,
  database = client.database,
): Promise<string[]> {
  const program = psql(client, `asking postgres in ${client.server.container}`, database, context.signal, [
    '--tuples-only',
    '--quiet',
    '--record-separator-zero',
  ]);
  const { stdout } = await run(client.server, program, only(sql));
  return stdout
    .replace(/\0?\n?$/, '')
    .split('\0')
    .filter(Boolean);
}

/** `psql` reading a script from its stdin. */
export function psql(
  client: Client,
  purpose: string,
  database: string,
  signal: AbortSignal,
  options: readonly string[] = [],
): PostgresProgram {
  const command = ['psql', '--no-psqlrc', '--no-align', '--set=ON_ERROR_STOP=1', '--no-password', ...options];
  const { environment, ...rest } = program(client, purpose, command, database, signal);
  return { ...rest, environment: { ...environment, PGCLIENTENCODING: 'UTF8' } };
}

/** A PostgreSQL program with its connection in the environment, so that no name is taken for an option or a URL. */
export function program(
  client: Client,
  purpose: string,
  command: string[],
  database: string,
  signal: AbortSignal,
): PostgresProgram {
  return {
    purpose,
    command,
    signal,
    user: client.osUser,
    environment: {
      PGUSER: client.superuser,
      PGDATABASE: database,
      PGAPPNAME: `dockerctl-${randomBytes(6).toString('hex')}`,
      // Messages that we read are English; the limits an administrator set for applications are not for us.
      PGOPTIONS: '-c lc_messages=C -c statement_timeout=0 -c standard_conforming_strings=on',
      LC_ALL: 'C',
      ...(client.password !== undefined && { PGPASSWORD: client.password }),
    },
  };
}

/**
 * Ends what a program of ours still does in the server: the engine cannot kill a program it started inside a
 * container, but without its connection it goes by itself.
 */
export async function terminate(client: Client, stopped: PostgresProgram, context: Context): Promise<void> {
  const name = stopped.environment.PGAPPNAME;
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${literal(name!)}`;
  await query(client, sql, { ...context, signal: AbortSignal.timeout(30_000) }).catch(() => {});
}

/** A name as SQL writes it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string as SQL writes it, with `standard_conforming_strings` on. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
