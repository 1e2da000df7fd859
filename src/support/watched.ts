import type { Readable } from 'node:stream';
import { FailedError } from './errors.ts';

/** How a stream is waited for that somebody else fills, be it a program or an engine. */
export interface Watch {
  /** What it is for, as errors shall begin: `dumping database shop of postgres`. */
  purpose: string;
  /** Ends it with the signal's own reason. */
  signal: AbortSignal;
}

/** Milliseconds without a byte, while we wait for one, after which a dump counts as hung. */
export const silenceLimit = 15 * 60_000;

/**
 * What a program prints, or an engine hands out, until its signal is aborted.
 * @param silence milliseconds without a byte, while we wait for one, after which it counts as hung; left out: never
 * @throws {FailedError} when it hangs
 */
export async function* watched(
  stream: Readable,
  { purpose, signal }: Watch,
  silence?: number,
): AsyncGenerator<Uint8Array> {
  const stop = () => stream.destroy(signal.reason);
  const hung = () =>
    stream.destroy(new FailedError(`${purpose}: nothing came for ${silence! / 60_000} minutes`));
  let timer = silence === undefined ? undefined : setTimeout(hung, silence);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const piece of stream) {
      clearTimeout(timer);
      yield piece;
      if (silence !== undefined) timer = setTimeout(hung, silence);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
