import { setTimeout } from 'node:timers/promises';
import { FailedError } from './errors.ts';

/** `signal`, which also aborts, with an error that says so, when something took longer than so many seconds. */
export function withDeadline(signal: AbortSignal, purpose: string, seconds: number | undefined): AbortSignal {
  if (seconds === undefined) return signal;
  const late = new AbortController();
  AbortSignal.timeout(seconds * 1000).addEventListener('abort', () => {
    late.abort(new FailedError(`${purpose}: took longer than ${seconds} seconds`));
  });
  return AbortSignal.any([signal, late.signal]);
}

/** What `work` comes to, or what `late` says when that takes longer than so many seconds; nobody waits for it then, and it goes on. */
export async function within<T>(seconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  const done = new AbortController();
  const waiting = setTimeout(seconds * 1000, undefined, { signal: done.signal }).then(() => {
    throw late();
  });
  try {
    return await Promise.race([work, waiting]);
  } finally {
    done.abort();
    for (const left of [work, waiting]) left.catch(() => {});
  }
}
