import type { Context } from '../../support/context.ts';
import type { DatabaseServer } from '../databases.ts';
import { only } from '../text.ts';
import { run } from './program.ts';

/**
 * Name of the program that a container's first process runs, `''` where nobody can tell. While an image initialises new
 * data it is the image's own script; afterwards the server takes its place.
 */
export async function firstProcess(server: DatabaseServer, { signal }: Context): Promise<string> {
  const command = ['cat', '/proc/1/comm'];
  const purpose = `looking at the first process of ${server.container}`;
  const asked = { command, environment: {}, user: undefined, purpose, signal };
  return run(server, asked, only('')).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
