import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../support/context.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import { ended } from '../container/ended.ts';
import type { DatabaseServer } from '../databases.ts';
import { type Client, connect } from './client.ts';

/** A large dump takes its time to be loaded. */
const patience = 30 * 60_000;
const pause = 200;

/** Waits until the server has loaded its data and answers. */
export async function ready(server: DatabaseServer, context: Context): Promise<void> {
  await answering(server, context);
}

/** The same. @param socket see `connect` */
export async function answering(server: DatabaseServer, context: Context, socket?: string): Promise<Client> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await connect(server, context, socket);
    } catch (cause) {
      context.signal.throwIfAborted();
      const state = (await server.engine.containers.inspect(server.container))?.state;
      if (state !== 'running') throw await ended(server, 'redis', state);
      if (performance.now() > deadline || isFinal(cause)) {
        throw new FailedError(`waiting for redis in ${server.container}: ${messageOf(cause)}`, { cause });
      }
    }
    await setTimeout(pause, undefined, { signal: context.signal });
  }
}

/** It answers, but not to us. */
function isFinal(cause: unknown): boolean {
  return /NOAUTH|WRONGPASS|NOPERM/.test(messageOf(cause));
}
