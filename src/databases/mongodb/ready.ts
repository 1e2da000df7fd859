import { setTimeout } from 'node:timers/promises';
import type { Context } from '../../support/context.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import { outputOf } from '../container-program.ts';
import type { DatabaseServer } from '../databases.ts';
import { ended } from '../ended.ts';
import { firstProcess } from '../first-process.ts';
import { accountOf } from './client.ts';
import { configured } from './dump.ts';

const patience = 180_000;
const pause = 500;
/** Milliseconds after which a server that is not the first process has shown that it lasts. */
const settling = 30_000;

/**
 * Waits until `mongodump` gets in, of which there is one in every image that can be saved. The official image initialises new data with
 * a server of its own, which is stopped again: it is not the container's first process.
 */
export async function ready(server: DatabaseServer, context: Context): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const answer = await isSettled(server, context);
    if (answer === true) return;
    const details = await server.engine.containers.inspect(server.container);
    if (details?.state !== 'running') throw await ended(server, 'mongodb', details?.state);
    if (performance.now() > deadline) {
      const reason = answer === false ? 'it is still initialising' : messageOf(answer.cause);
      throw new FailedError(`waiting for mongodb in ${server.container}: ${reason}`);
    }
    await setTimeout(pause, undefined, { signal: context.signal });
  }
}

async function isSettled(server: DatabaseServer, context: Context): Promise<boolean | { cause: unknown }> {
  try {
    await getIn(server, context);
    if ((await firstProcess(server, context)) === 'mongod') return true;
    const started = (await server.engine.containers.inspect(server.container))?.startedAt;
    return started !== undefined && context.now().getTime() - started.getTime() > settling;
  } catch (cause) {
    context.signal.throwIfAborted();
    return { cause };
  }
}

/** Saves a collection that every server has, to nowhere. */
async function getIn(server: DatabaseServer, context: Context): Promise<void> {
  const account = await accountOf(server, undefined, context);
  const asked = ['--db=admin', '--collection=system.version', '--archive', '--quiet'];
  const program = {
    command: ['mongodump', ...asked, ...configured(account.options)],
    environment: { LC_ALL: 'C' },
    user: undefined,
    purpose: `getting into mongodb in ${server.container}`,
    signal: context.signal,
    input: account.config,
  };
  for await (const _ of outputOf(server, program));
}
