import type { Context } from '../../support/context.ts';
import type { DatabaseServer } from '../databases.ts';
import type { ServerDescription } from '../description.ts';
import { connectAsking } from './client.ts';

/** Asks the running server. @throws {FailedError} when it does not answer */
export async function describe(server: DatabaseServer, context: Context): Promise<ServerDescription> {
  return describedBy((await connectAsking(descriptionQuery, server, undefined, context)).answer);
}

/** Two rows. */
export const descriptionQuery = ['server_version', 'data_directory']
  .map((name) => `SELECT current_setting('${name}');`)
  .join('\n');

export function describedBy([version = '', data = '']: readonly string[]): ServerDescription {
  return { product: 'PostgreSQL', version, data };
}
