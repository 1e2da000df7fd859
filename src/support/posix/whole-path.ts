import { isOfSystem } from '../errors.ts';
import { fromText, toText } from './byte-path.ts';
import { type PosixError, posixError } from './libc.ts';

/**
 * Does what goes by handle. When the system refuses it, that is told with the whole path: by itself such an error names
 * the handle, the last part of the path, or nothing.
 * @param path absolute, one character per byte
 */
export function atPath<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw withPath(error, path);
  }
}

/** What was thrown, with that path unless it names a whole one. It stays an error of the system. */
export function withPath(error: unknown, path: string): unknown {
  if (!isOfSystem(error)) return error;
  const { errno, syscall, path: named } = error as PosixError;
  if (named?.startsWith('/') && !named.startsWith('/proc/self/fd/')) return error;
  return Object.assign(posixError(errno, syscall, fromText(toText(path))), { path, cause: error });
}
