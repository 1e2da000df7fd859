import type { Context } from '../../support/context.ts';
import type { DatabaseServer } from '../databases.ts';
import type { ServerDescription } from '../description.ts';
import { type Client, connect, query } from './client.ts';

/** Asks the running server. @throws {FailedError} when it does not answer */
export async function describe(server: DatabaseServer, context: Context): Promise<ServerDescription> {
  return description(await connect(server, undefined, context), context);
}

export async function description(client: Client, context: Context): Promise<ServerDescription> {
  const settings = ['server_version', 'data_directory'].map((name) => `SELECT current_setting('${name}');`);
  const [version = '', data = ''] = await query(client, settings.join('\n'), context);
  return { product: 'PostgreSQL', version, data };
}
