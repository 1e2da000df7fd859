import type { Context } from '../../support/context.ts';
import { firstProcess } from '../container/first-process.ts';
import { outputOf } from '../container/program.ts';
import { waitUntilSettled } from '../container/settled.ts';
import type { DatabaseServer } from '../databases.ts';
import { accountOf } from './client.ts';
import { configured } from './dump.ts';

/** Milliseconds after which a server that is not the first process has shown that it lasts. */
const settling = 30_000;

/**
 * Waits until `mongodump` gets in, of which there is one in every image that can be saved. The server that the official
 * image initialises new data with is not the container's first process.
 */
export async function ready(server: DatabaseServer, context: Context): Promise<void> {
  await waitUntilSettled(
    server,
    { kind: 'mongodb', pause: 500, isSettled: () => isSettled(server, context) },
    context,
  );
}

async function isSettled(server: DatabaseServer, context: Context): Promise<boolean> {
  await getIn(server, context);
  if ((await firstProcess(server, context)) === 'mongod') return true;
  const started = (await server.engine.containers.inspect(server.container))?.startedAt;
  return started !== undefined && context.now().getTime() - started.getTime() > settling;
}

/** Saves a collection that every server has, to nowhere. */
async function getIn(server: DatabaseServer, context: Context): Promise<void> {
  const account = await accountOf(server, undefined, context);
  const asked = ['--db=admin', '--collection=system.version', '--archive', '--quiet'];
  const program = {
    command: ['mongodump', ...asked, ...configured(account.options)],
    environment: { LC_ALL: 'C' },
    purpose: `getting into mongodb in ${server.container}`,
    signal: context.signal,
    input: account.config,
  };
  for await (const _ of outputOf(server, program));
}
