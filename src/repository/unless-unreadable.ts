import { DamagedError, SignatureError } from '../support/errors.ts';

/** What `read` returns; `undefined` when what it reads is damaged, or no key at hand opens it. */
export async function unlessUnreadable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DamagedError || error instanceof SignatureError) return undefined;
    throw error;
  }
}
