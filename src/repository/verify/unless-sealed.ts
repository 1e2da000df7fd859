import { DamagedError, SignatureError } from '../../support/errors.ts';

/** Without a key it is known what is spoiled, but not its name. */
export async function unlessSealed<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DamagedError || error instanceof SignatureError) return undefined;
    throw error;
  }
}
