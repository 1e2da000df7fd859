import { FailedError } from '../support/errors.ts';
import type { DatabaseServer } from './databases.ts';

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
