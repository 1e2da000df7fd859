import type { Context } from '../../support/context.ts';
import { FailedError } from '../../support/errors.ts';
import type { DatabaseServer } from '../databases.ts';
import { run } from './program.ts';

/**
 * The variables that the container of a server was made with: images are told their accounts and passwords there.
 * @param kind what runs in it, for the error
 * @throws {FailedError} when it does not run
 */
export async function environmentOf(
  { engine, container }: DatabaseServer,
  kind: string,
): Promise<Map<string, string>> {
  const details = await engine.containers.inspect(container);
  if (details?.state !== 'running') {
    throw new FailedError(`${kind} in ${container}: the container is ${details?.state ?? 'not there'}`, {
      advice: `Start it first: dockerctl start ${container}`,
    });
  }
  const variables = (details.raw as { Config?: { Env?: string[] | null } }).Config?.Env ?? [];
  return new Map(variables.map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)]));
}

/**
 * A variable's value, or what the file says that the variable `NAME_FILE` names, as a shell reads it: without the line
 * ends behind it. `undefined` when neither says anything.
 */
export async function toldIn(
  name: string,
  variables: ReadonlyMap<string, string>,
  server: DatabaseServer,
  { signal }: Pick<Context, 'signal'>,
): Promise<string | undefined> {
  const value = variables.get(name);
  if (value !== undefined && value !== '') return value;
  const file = variables.get(`${name}_FILE`);
  if (file === undefined || file === '') return undefined;
  const purpose = `reading ${file} in ${server.container}`;
  return (await run(server, { command: ['cat', file], purpose, signal })).stdout.replace(/\n+$/, '');
}

/** What the container runs behind its entrypoint, as it was made. */
export async function commandOf({ engine, container }: DatabaseServer): Promise<string[]> {
  const details = await engine.containers.inspect(container);
  return (details?.raw as { Config?: { Cmd?: string[] } } | undefined)?.Config?.Cmd ?? [];
}
