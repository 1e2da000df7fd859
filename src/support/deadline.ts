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

/**
 * What `work` comes to. When it has not ended so many seconds after `signal` was aborted, throws the signal's reason:
 * it waits for something that never answers, and nobody waits for it any more.
 */
export async function endingWith<T>(signal: AbortSignal, seconds: number, work: Promise<T>): Promise<T> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const ended = Symbol();
  const first = await Promise.race([work.then(() => ended), aborted]);
  return first === ended ? work : within(seconds, work, () => signal.reason as Error);
}

/**
 * What `work` comes to, or what `late` says when that takes longer than so many seconds; nobody waits for it then, and
 * it goes on.
 */
export async function within<T>(seconds: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
