import { DamagedError } from './errors.ts';

/** What `read` returns; `undefined` when what it reads is damaged. Other errors are passed on. */
export async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DamagedError) return undefined;
    throw error;
  }
}
