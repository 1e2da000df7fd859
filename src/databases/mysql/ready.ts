import type { Context } from '../../support/context.ts';
import { firstProcess } from '../container/first-process.ts';
import { waitUntilSettled } from '../container/settled.ts';
import type { DatabaseServer } from '../databases.ts';
import { connect, query } from './client.ts';

/**
 * Waits until the server that stays is up. The one that the official images initialise new data with has no network:
 * one without a network must be the container's first process, or prove that it lasts.
 */
export async function ready(server: DatabaseServer, context: Context): Promise<void> {
  const settling = {
    kind: 'mysql',
    pause: 300,
    advice: `Its own words: docker logs ${server.container}`,
    isSettled: () => isSettled(server, context),
  };
  await waitUntilSettled(server, settling, context);
}

async function isSettled(server: DatabaseServer, context: Context): Promise<boolean> {
  const client = await connect(server, undefined, context);
  const asked = `SELECT @@skip_networking = 0 OR VARIABLE_VALUE > 15 FROM ${statusTable(client.product)}
    WHERE VARIABLE_NAME = 'UPTIME'`;
  const [[settled] = []] = await query(client, asked, context);
  return settled === '1' || /^(mysqld|mariadbd)$/.test(await firstProcess(server, context));
}

function statusTable(product: string): string {
  return `${product === 'MySQL' ? 'performance_schema' : 'information_schema'}.global_status`;
}
