import type { Context } from '../../support/context.ts';
import type { DatabaseServer, LoadedDatabase, LoadedDatabases } from '../databases.ts';
import { type Client, connect, identifier, literal, query } from './client.ts';
import { applyGlobals, takeBackGlobals } from './globals.ts';

/**
 * Renames all loaded databases into place in one transaction, after nobody can connect to either side any more. What
 * lived before is kept, closed to connections.
 */
export async function swap(server: DatabaseServer, loaded: LoadedDatabases, context: Context): Promise<void> {
  const client = await connectAside(server, context);
  const present = await presentDatabases(client, context);
  const waiting = loaded.databases.filter(({ fresh }) => present.has(fresh));
  await applyGlobals(client, loaded.globals.after, context);
  const involved = waiting.flatMap(({ name, fresh }) => [name, fresh]);
  await fence(client, involved, context);
  await renameAll(
    client,
    waiting.flatMap(({ name, fresh, kept }) => [
      ...(present.has(name) ? [{ from: name, to: kept }] : []),
      { from: fresh, to: name },
    ]),
    waiting,
    context,
  );
}

/** Before, in the middle of, or after `swap`. */
export async function undo(server: DatabaseServer, loaded: LoadedDatabases, context: Context): Promise<void> {
  const client = await connectAside(server, context);
  const present = await presentDatabases(client, context);
  const swapped = loaded.databases.filter(
    ({ name, fresh, kept, existed }) =>
      !present.has(fresh) && (existed ? present.has(kept) : present.has(name)),
  );
  const involved = swapped.flatMap(({ name, kept }) => [name, kept]);
  await fence(client, involved, context);
  await renameAll(
    client,
    swapped.flatMap(({ name, fresh, kept, existed }) => [
      ...(present.has(name) ? [{ from: name, to: fresh }] : []),
      ...(existed ? [{ from: kept, to: name }] : []),
    ]),
    loaded.databases.filter(({ existed }) => existed),
    context,
  );
  const fresh = loaded.databases.map((database) => database.fresh);
  await dropDatabases(client, fresh, context);
  await takeBackGlobals(client, loaded.globals, context);
}

/** Drops what was loaded under this token and never took the place of anything. */
export async function discard(server: DatabaseServer, token: string, context: Context): Promise<void> {
  const client = await connectAside(server, context);
  const present = await presentDatabases(client, context);
  const left = [...present].filter((name) => name.endsWith(`.new_${token}`));
  await dropDatabases(client, left, context);
}

/** Drops the databases that were replaced and kept. */
export async function dropKept(
  server: DatabaseServer,
  loaded: LoadedDatabases,
  context: Context,
): Promise<void> {
  const client = await connectAside(server, context);
  const kept = loaded.databases.map((database) => database.kept);
  await dropDatabases(client, kept, context);
}

/** Drops those that exist, whoever is in them; a template cannot be dropped as long as it is one. */
export async function dropDatabases(
  client: Client,
  names: readonly string[],
  context: Context,
): Promise<void> {
  if (names.length === 0) return;
  const drops = names.map((name) => `DROP DATABASE IF EXISTS ${identifier(name)};`);
  const list = names.map(literal).join(', ');
  const plain = `UPDATE pg_database SET datistemplate = false WHERE datname IN (${list});`;
  await query(client, [fencing(names), plain, ...drops].join('\n'), context);
}

/** A database cannot be renamed from within: `postgres` may be among those that are swapped. */
async function connectAside(server: DatabaseServer, context: Context): Promise<Client> {
  return { ...(await connect(server, undefined, context)), database: 'template1' };
}

async function fence(client: Client, names: readonly string[], context: Context): Promise<void> {
  if (names.length > 0) await query(client, fencing(names), context);
}

/** Lets nobody in and puts out who is in. Renaming and dropping then wait until they have left. */
function fencing(names: readonly string[]): string {
  const list = names.map(literal).join(', ');
  return `UPDATE pg_database SET datallowconn = false WHERE datname IN (${list});
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (${list});`;
}

async function renameAll(
  client: Client,
  renames: readonly { from: string; to: string }[],
  opened: readonly LoadedDatabase[],
  context: Context,
): Promise<void> {
  if (renames.length === 0 && opened.length === 0) return;
  const names = opened.map(({ name }) => literal(name)).join(', ');
  const statements = renames.map(
    ({ from, to }) => `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)};`,
  );
  const open = names && `UPDATE pg_database SET datallowconn = true WHERE datname IN (${names});`;
  await query(client, `BEGIN; ${statements.join('\n')} ${open} COMMIT;`, context);
}

async function presentDatabases(client: Client, context: Context): Promise<Set<string>> {
  return new Set(await query(client, 'SELECT datname FROM pg_database', context));
}
