import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Execution } from '../../engine/engine.ts';
import type { Watch } from '../../support/watched.ts';

/**
 * Passes `input` to a program's standard input. Throws what `input` throws. A program that stops listening is no
 * failure here: its exit status tells more. The engine does not always say that it stopped, but the end of its output
 * does.
 * @param ended aborts with that end
 */
export async function feed(
  input: AsyncIterable<Uint8Array>,
  execution: Execution,
  program: Watch,
  ended: AbortSignal,
): Promise<void> {
  let failure: { cause: unknown } | undefined;
  const iterator = input[Symbol.asyncIterator]();
  async function* remembered(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = await pull(); !next.done; next = await pull()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  const pull = () =>
    iterator.next().catch((cause: unknown) => {
      failure = { cause };
      throw cause;
    });
  await pipeline(Readable.from(remembered(), { objectMode: false }), execution.stdin!, {
    signal: AbortSignal.any([program.signal, ended]),
  }).catch(() => program.signal.throwIfAborted());
  if (failure) throw failure.cause;
}

const keptErrorOutput = 4096;

/** Keeps the last 4096 bytes of a stream, from a line's beginning, for whoever asks when it has ended. */
export function lastOf(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  let cut = false;
  stream.on('error', () => {});
  stream.on('data', (piece: Buffer) => {
    const all = Buffer.concat([kept, piece]);
    cut ||= all.length > keptErrorOutput;
    kept = all.subarray(-keptErrorOutput);
  });
  return () => {
    const text = kept.toString('utf8');
    return (cut ? text.slice(text.indexOf('\n') + 1) : text).trim();
  };
}
