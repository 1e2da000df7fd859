import type { Context } from '../../support/context.ts';
import { FailedError, messageOf } from '../../support/errors.ts';
import { run } from '../container/program.ts';
import { type Client, query } from './client.ts';

/**
 * Makes the directories in which new tablespaces are to lie, inside the container, where the server wants them: there,
 * empty, and its own. One in which something lies stays as it is. Whether what is stored there outlives the container
 * is not for us to decide; it is told.
 *
 * @param creations statements of `pg_dumpall`; others than `CREATE TABLESPACE … LOCATION '…'` are passed over
 * @throws {FailedError} when one cannot be made
 */
export async function makeDirectories(
  client: Client,
  creations: readonly string[],
  context: Context,
): Promise<void> {
  const locations = creations.flatMap(locationOf);
  if (locations.length === 0) return;
  const [data = ''] = await query(client, 'SHOW data_directory', context);
  for (const location of locations) await makeDirectory(client, data, location, context);
}

async function makeDirectory(
  client: Client,
  data: string,
  location: string,
  context: Context,
): Promise<void> {
  const { server } = client;
  const purpose = `making the directory ${location} of a tablespace in ${server.container}`;
  const command = ['sh', '-c', script, 'sh', data, location];
  const program = { purpose, command, user: '0', signal: context.signal };
  const { stdout } = await run(server, program).catch((cause: unknown) => {
    context.signal.throwIfAborted();
    throw new FailedError(messageOf(cause), {
      advice: `Make ${location} there, empty and owned by the server's account, and restore again`,
      facts: { container: server.container, location },
      cause,
    });
  });
  if (stdout.trim() === 'in the container')
    context.progress.warn(
      `the tablespace at ${location} lies in the container ${server.container} itself, and goes with it: mount a volume there`,
    );
}

/** Given the server's data directory and the one that is wanted. It has the owner of the first. */
const script = `set -e
mkdir -p -m 700 -- "$2"
if [ -z "$(ls -A -- "$2")" ]; then chown "$(stat -c %u:%g -- "$1")" "$2"; fi
if [ "$(stat -c %d -- "$2")" = "$(stat -c %d /)" ]; then echo in the container; fi`;

/** None of one that lies in the data directory itself, which the server makes. No location has a quote in it. */
function locationOf(creation: string): string[] {
  const [, escaped, text] = /^CREATE TABLESPACE .* LOCATION (E?)'([^']+)';?$/.exec(creation) ?? [];
  if (text === undefined) return [];
  return [escaped ? text.replaceAll('\\\\', '\\') : text];
}
