import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../support/context.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import type { DatabaseServer } from '../databases.ts';
import { ended } from '../ended.ts';
import { firstProcess } from '../first-process.ts';
import { connect, query } from './client.ts';

const patience = 180_000;
const pause = 300;

/**
 * Waits until the server that stays is up. The official images initialise a new data directory with a server of their own that has
 * no network and is stopped again: one without a network must be the container's first process, or prove that it lasts.
 */
export async function ready(server: DatabaseServer, context: Context): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await isSettled(server, context);
    if (answer === true) return;
    const state = (await server.engine.containers.inspect(server.container))?.state;
    if (state !== 'running') throw await ended(server, 'mysql', state);
    if (performance.now() > deadline) throw notReady(server, answer);
    await setTimeout(pause, undefined, { signal: context.signal });
  }
}

async function isSettled(server: DatabaseServer, context: Context): Promise<boolean | { cause: unknown }> {
  try {
    const client = await connect(server, undefined, context);
    const asked = `SELECT @@skip_networking = 0 OR VARIABLE_VALUE > 15 FROM ${statusTable(client.product)}
      WHERE VARIABLE_NAME = 'UPTIME'`;
    const [[settled] = []] = await query(client, asked, context);
    return settled === '1' || /^(mysqld|mariadbd)$/.test(await firstProcess(server, context));
  } catch (cause) {
    context.signal.throwIfAborted();
    return { cause };
  }
}

function statusTable(product: string): string {
  return `${product === 'MySQL' ? 'performance_schema' : 'information_schema'}.global_status`;
}

function notReady({ container }: DatabaseServer, answer: false | { cause: unknown }): FailedError {
  const reason = answer === false ? 'it is still initialising' : messageOf(answer.cause);
  return new FailedError(`waiting for mysql in ${container}: ${reason}`, {
    advice: `Its own words: docker logs ${container}`,
  });
}
