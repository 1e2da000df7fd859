import { text } from 'node:stream/consumers';
import { FailedError } from '../../support/errors.ts';
import type { DatabaseServer } from '../databases.ts';

/**
 * What to throw when a server is waited for whose container does not run: with its last words, for the container may be
 * removed.
 */
export async function ended(
  { engine, container }: DatabaseServer,
  kind: string,
  state: string | undefined,
): Promise<FailedError> {
  const words = await lastWords({ engine, container }).catch(() => '');
  const lines = words.trim().split('\n');
  const line = lines.findLast((said) => /error|fatal|denied|cannot|can't/i.test(said)) ?? lines.at(-1) ?? '';
  return new FailedError(
    `waiting for ${kind} in ${container}: the container is ${state ?? 'gone'}${line && `: ${line.trim()}`}`,
    { advice: `Its own words: docker logs ${container}`, facts: { logs: words } },
  );
}

async function lastWords({ engine, container }: DatabaseServer): Promise<string> {
  const { stdout, stderr } = await engine.containers.logs(container, { tail: 40 });
  return (await Promise.all([text(stdout), text(stderr)])).join('');
}
