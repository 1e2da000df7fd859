import type { Context } from '../../support/context.ts';
import { DamagedError } from '../../support/errors.ts';
import { run } from '../container/program.ts';
import type { ContainerCommand, DumpFile, LoadedDatabase, SpareServer } from '../databases.ts';
import { descriptionPath } from '../description.ts';
import { wholeScript } from '../script.ts';
import { textOf } from '../text.ts';
import { applyAccounts } from './accounts.ts';
import { type Client, clientOptions, connect, identifier, program, query } from './client.ts';
import { accountsPath, databaseNames, dataPath, dataScript, expectTables } from './dump.ts';
import { ready } from './ready.ts';
import { joinRows, type RowCounts } from './rows.ts';

type Loaded = Pick<LoadedDatabase, 'name' | 'tables' | 'rows'>;

/**
 * Lets the image make a new data directory as it does when it is first started, and loads everything into it:
 * databases, then accounts. Nothing of it is renamed afterwards, so triggers, views, routines, events and rights are
 * what they were.
 */
export async function rebuild(
  spare: SpareServer,
  files: AsyncIterable<DumpFile>,
  context: Context,
): Promise<Loaded[]> {
  const server = await spare.start(withoutNetwork);
  await ready(server, context);
  const client = await connect(server, undefined, context);
  await prepare(client, context);
  let loaded: Loaded[] = [];
  let accounts: string | undefined;
  for await (const { path, content } of files) {
    if (path === dataPath) loaded = await loadData(client, content, context);
    else if (path === accountsPath) accounts = await textOf(content);
    else if (path !== descriptionPath) throw new DamagedError(`loading mysql: ${path} is not part of a dump`);
  }
  if (accounts === undefined) throw new DamagedError('loading mysql: the dump has no accounts');
  await applyAccounts(client, accounts, context);
  await spare.stop();
  return loaded;
}

/** Whatever address it listens on is in use, or not to be had without a network. */
function withoutNetwork({ entrypoint, command }: ContainerCommand): ContainerCommand {
  const isServer = /^(.*\/)?(mysqld|mariadbd)(_safe)?$|^-/.test(command[0] ?? '');
  return { entrypoint, command: isServer ? [...command, '--skip-networking'] : command };
}

/**
 * No event fires before its time, nothing the image made of its own is left, and nothing waits for the disk but the
 * end.
 */
async function prepare(client: Client, context: Context): Promise<void> {
  const [[scheduler] = []] = await query(client, 'SELECT @@event_scheduler', context);
  const drops = (await databaseNames(client, context)).map((name) => `DROP DATABASE ${identifier(name)};`);
  const settings = [
    'SET SESSION sql_log_bin = 0;',
    ...(scheduler === 'ON' ? ['SET GLOBAL event_scheduler = OFF;'] : []),
    'SET GLOBAL innodb_flush_log_at_trx_commit = 0;',
    'SET GLOBAL sync_binlog = 0;',
    'SET GLOBAL max_allowed_packet = 1073741824;',
  ];
  await query(client, [...settings, ...drops].join('\n'), context);
}

async function loadData(
  client: Client,
  content: AsyncIterable<Uint8Array>,
  context: Context,
): Promise<Loaded[]> {
  const purpose = `loading databases into ${client.product} in ${client.server.container}`;
  const init = '--init-command=SET SESSION sql_log_bin = 0';
  const command = [client.programs.client, ...clientOptions, '--max-allowed-packet=1G', init];
  const counts: RowCounts = { tables: new Map(), rows: new Map() };
  const script = joinRows(wholeScript(content, dataScript, purpose), counts);
  await run(client.server, program(client, purpose, command, context.signal), script);
  const loaded = (await databaseNames(client, context)).map((name) => ({
    name,
    tables: counts.tables.get(name) ?? 0,
    rows: counts.rows.get(name) ?? 0,
  }));
  await expectTables(client, loaded, context);
  return loaded;
}
