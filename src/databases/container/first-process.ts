import type { Context } from '../../support/context.ts';
import type { DatabaseServer } from '../databases.ts';
import { run } from './program.ts';

/**
 * Name of the program that a container's first process runs, `''` where nobody can tell. While an image initialises new
 * data it is the image's own script; afterwards the server takes its place.
 */
export async function firstProcess(server: DatabaseServer, { signal }: Context): Promise<string> {
  const command = ['cat', '/proc/1/comm'];
  const purpose = `looking at the first process of ${server.container}`;
  return run(server, { command, purpose, signal }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
