import type { Context } from '../../support/context.ts';
import { withDeadline } from '../../support/deadline.ts';
import { outputOf } from '../container/program.ts';
import type { DatabaseServer, DumpFile, DumpOptions } from '../databases.ts';
import { descriptionFile, type ServerDescription } from '../description.ts';
import { type Client, connect, info, program, setting } from './client.ts';
import { wholeDump } from './whole-dump.ts';

export const dumpPath = 'dump.rdb';

/**
 * Takes the server's dump as a replica is given it: `dump.rdb`, of one moment, made by a child of the server while it
 * serves; then `server.json`. It is the same whether the server keeps dumps, a log of commands, or neither.
 */
export async function* dump(
  server: DatabaseServer,
  options: DumpOptions,
  context: Context,
): AsyncGenerator<DumpFile> {
  const purpose = `dumping redis in ${server.container}`;
  const limited = { ...context, signal: withDeadline(context.signal, purpose, options.timeout) };
  const client = await connect(server, limited);
  const dumper = program(client, purpose, ['--rdb', '-'], limited.signal);
  const warn = (said: string) => {
    const complaints = said.split('\n').filter((line) => !chatter.test(line));
    if (complaints.length > 0) options.warn(complaints.join('\n'));
  };
  yield { path: dumpPath, content: wholeDump(outputOf(server, dumper, warn), purpose) };
  yield descriptionFile(await description(client, limited));
}

/** What the program says on stderr although nothing is wrong. */
const chatter =
  /^(sending REPLCONF|SYNC (sent to|with) master, |Transfer finished with success|REPLCONF \S+ error: ERR)/;

/** Asks the running server. @throws {FailedError} when it does not answer */
export async function describe(server: DatabaseServer, context: Context): Promise<ServerDescription> {
  return description(await connect(server, context), context);
}

async function description(client: Client, context: Context): Promise<ServerDescription> {
  const said = await info(client, 'server', context);
  const valkey = said.get('valkey_version');
  const data = (await setting(client, 'dir', context)) ?? '';
  if (valkey !== undefined) return { product: 'Valkey', version: valkey, data };
  return { product: 'Redis', version: said.get('redis_version') ?? '', data };
}

/** Keys by database, as `INFO keyspace` tells them. */
export async function keysByDatabase(
  client: Client,
  context: Context,
): Promise<{ name: string; rows: number }[]> {
  const said = await info(client, 'keyspace', context);
  return [...said].map(([name, fields]) => ({ name, rows: Number(/^keys=(\d+)/.exec(fields)?.[1] ?? 0) }));
}
