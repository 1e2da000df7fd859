import { codeOf, DamagedError, NotFoundError, UsageError } from '../support/errors.ts';
import { systemAdvice } from '../support/system-advice.ts';
import { unreadable } from './medium.ts';

/** What a path that cannot be looked at or opened means: it was misspelt, may not be read, or the system would not. */
export function openingFailed(path: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new NotFoundError(`${path}: there is no such file`, { ...notText(path), cause: error });
  const failed = unreadable(path, error);
  if (failed instanceof DamagedError || systemAdvice(error).advice !== undefined) return failed;
  return new UsageError(`${path}: cannot be read (${code ?? String(error)})`, { cause: error });
}

/** A name that is not UTF-8 does not reach us as it is. */
function notText(path: string): { advice?: string } {
  if (!path.includes('\ufffd')) return {};
  return { advice: 'Its name is not UTF-8: rename it, or give its content with - and <FILE' };
}
