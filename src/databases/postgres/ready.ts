import type { Context } from '../../support/context.ts';
import { waitUntilSettled } from '../container/settled.ts';
import type { DatabaseServer } from '../databases.ts';
import { connectAsking } from './client.ts';

/**
 * Waits until the server that stays is up. The one that the official image initialises new data with listens on no
 * address: a server without addresses must prove that it lasts.
 */
export async function ready(server: DatabaseServer, context: Context): Promise<void> {
  const settling = {
    kind: 'postgres',
    pause: 500,
    advice: `Its own words: dockerctl logs, or docker logs ${server.container}`,
    mayRestart: true,
    isSettled: () => isSettled(server, context),
  };
  await waitUntilSettled(server, settling, context);
}

async function isSettled(server: DatabaseServer, context: Context): Promise<boolean> {
  const question = `SELECT current_setting('listen_addresses') <> '' OR now() - pg_postmaster_start_time() > interval '15 s'`;
  const { answer } = await connectAsking(question, server, undefined, context);
  return answer[0] === 't';
}
