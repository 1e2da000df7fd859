import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { FailedError } from '../../support/errors.ts';
import { interruption } from './errors.ts';

/**
 * Runs `send`, which streams `source` to the engine. When the source breaks or `signal` aborts, the connection breaks
 * before the end of what was to be sent, and the source's own error (or the interruption) is what is thrown.
 */
export async function upload<T>(
  doing: string,
  source: Readable,
  signal: AbortSignal | undefined,
  send: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  const connection = new AbortController();
  let broken: Error | undefined;
  finished(source, { writable: false }).catch((error: Error) => {
    broken =
      source.errored ?? new FailedError(`${doing}: the input was closed before its end`, { cause: error });
    connection.abort(broken);
  });
  try {
    return await send(AbortSignal.any([connection.signal, ...(signal ? [signal] : [])]));
  } catch (error) {
    if (signal?.aborted) throw interruption(doing, signal);
    throw broken ?? error;
  } finally {
    source.destroy();
  }
}
