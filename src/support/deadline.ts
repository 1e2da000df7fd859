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
