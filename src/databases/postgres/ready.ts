import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../support/context.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import type { DatabaseServer } from '../databases.ts';
import { connect, query } from './client.ts';

const patience = 180_000;
const pause = 500;

/**
 * Waits until the server that stays is up. The official image initialises a new data directory with a server of its own
 * that listens on no address and is stopped again: a server without addresses must prove that it lasts.
 */
export async function ready(server: DatabaseServer, context: Context): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await isSettled(server, context);
    if (answer === true) return;
    if (performance.now() > deadline) {
      throw new FailedError(
        `waiting for postgres in ${server.container}: ${answer === false ? 'it is still initialising' : messageOf(answer.cause)}`,
        { advice: `Its own words: dockerctl logs, or docker logs ${server.container}` },
      );
    }
    await setTimeout(pause, undefined, { signal: context.signal });
  }
}

async function isSettled(server: DatabaseServer, context: Context): Promise<boolean | { cause: unknown }> {
  try {
    const client = await connect(server, undefined, context);
    const [settled] = await query(
      client,
      `SELECT current_setting('listen_addresses') <> '' OR now() - pg_postmaster_start_time() > interval '15 s'`,
      context,
    );
    return settled === 't';
  } catch (cause) {
    context.signal.throwIfAborted();
    return { cause };
  }
}
