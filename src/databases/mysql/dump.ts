import type { Context } from '../../support/context.ts';
import { withDeadline } from '../../support/deadline.ts';
import { FailedError } from '../../support/errors.ts';
import { outputOf } from '../container/program.ts';
import type { DatabaseServer, DumpFile, DumpOptions } from '../databases.ts';
import { descriptionFile, type ServerDescription } from '../description.ts';
import { type ScriptKind, wholeScript } from '../script.ts';
import { only } from '../text.ts';
import { accountsScript } from './accounts.ts';
import { type Client, connect, fromHex, program, query } from './client.ts';

export const dataPath = 'data.sql';
export const accountsPath = 'users.sql';

/** What `mariadb-dump` and `mysqldump` write first and last; the first line of newer ones is for newer clients only. */
export const dataScript: ScriptKind = {
  begin: /^(\/\*M?!999999\\- enable the sandbox mode \*\/ *\n)?-- (MariaDB|MySQL) dump /,
  end: /\n-- Dump completed( on [-0-9: ]+)?$/,
  noise: { head: /^\/\*M?!999999.*\n/ },
};

/**
 * Dumps every database of its users in one transaction: `data.sql`, then `server.json`, then the accounts with their
 * rights, `users.sql`. One row a line, so that a row that changes leaves the rest of the file as it was.
 */
export async function* dump(
  server: DatabaseServer,
  options: DumpOptions,
  context: Context,
): AsyncGenerator<DumpFile> {
  const purpose = `dumping mysql in ${server.container}`;
  const limited = { ...context, signal: withDeadline(context.signal, purpose, options.timeout) };
  const client = await connect(server, options.user, limited);
  const names = await databaseNames(client, limited);
  for (const warning of await weaknesses(client, limited)) options.warn(warning);
  if (names.length > 0) yield { path: dataPath, content: dumpData(client, names, limited, options.warn) };
  yield descriptionFile(await description(client, limited));
  yield { path: accountsPath, content: only(await accountsScript(client, limited)) };
}

/** Asks the running server. @throws {FailedError} when it does not answer */
export async function describe(server: DatabaseServer, context: Context): Promise<ServerDescription> {
  return description(await connect(server, undefined, context), context);
}

async function description(client: Client, context: Context): Promise<ServerDescription> {
  const [[data = ''] = []] = await query(client, 'SELECT @@datadir', context);
  const version = /^[\d.]+/.exec(client.version)?.[0] ?? client.version;
  return { product: client.product, version, data: data.replace(/(?<=.)\/+$/, '') };
}

const system = ['mysql', 'information_schema', 'performance_schema', 'sys'];

/** Those of users, sorted by the bytes of their names. */
export async function databaseNames(client: Client, context: Context): Promise<string[]> {
  const rows = await query(client, 'SELECT HEX(schema_name) FROM information_schema.schemata', context);
  return rows
    .map(([hex = '']) => fromHex(hex))
    .filter((name) => !system.includes(name.toLowerCase()))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function dumpData(
  client: Client,
  names: readonly string[],
  context: Context,
  warn: (message: string) => void,
): AsyncGenerator<Uint8Array> {
  const purpose = `dumping databases of ${client.product} in ${client.server.container}`;
  const command = [
    client.programs.dumper,
    ...dumpOptions,
    ...productOptions(client),
    '--databases',
    '--',
    ...names,
  ];
  const dumper = program(client, purpose, command, context.signal);
  return wholeScript(outputOf(client.server, dumper, warn), dataScript, purpose);
}

const dumpOptions = [
  '--single-transaction',
  '--quick',
  '--routines',
  '--events',
  '--triggers',
  '--hex-blob',
  '--skip-extended-insert',
  '--skip-dump-date',
  '--max-allowed-packet=1G',
  '--default-character-set=utf8mb4',
];

/**
 * The history of tables with system versioning, which MariaDB can dump and load from 10.11 on; no replication position.
 */
function productOptions({ product, version }: Client): string[] {
  if (product === 'MySQL') return ['--set-gtid-purged=OFF'];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 10 || (major === 10 && minor >= 11) ? ['--dump-history'] : [];
}

/** What one transaction does not hold together. */
async function weaknesses(client: Client, context: Context): Promise<string[]> {
  const [[count = '0', engines = ''] = []] = await query(
    client,
    `SELECT COUNT(*), GROUP_CONCAT(DISTINCT engine ORDER BY engine) FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND engine NOT IN ('InnoDB', 'RocksDB', 'TokuDB', 'MEMORY', 'BLACKHOLE')
      AND table_schema NOT IN (${system.map((name) => `'${name}'`).join(', ')})`,
    context,
  );
  if (count === '0') return [];
  return [`${count} tables (${engines}) know no transactions: their rows may be of different moments`];
}

/** @throws {FailedError} unless the server has every table that a dump makes */
export async function expectTables(
  client: Client,
  loaded: readonly { name: string; tables: number }[],
  context: Context,
): Promise<void> {
  const rows = await query(
    client,
    `SELECT HEX(table_schema), COUNT(*) FROM information_schema.tables WHERE table_type <> 'VIEW' GROUP BY 1`,
    context,
  );
  const present = new Map(rows.map(([hex = '', count]) => [fromHex(hex), Number(count)]));
  for (const { name, tables } of loaded) {
    const found = present.get(name) ?? 0;
    if (found >= tables) continue;
    throw new FailedError(`loading database ${name}: ${tables} tables were loaded, ${found} are there`);
  }
}
