import { constants, open } from 'node:fs/promises';
import {
  codeOf,
  DamagedError,
  DockerctlError,
  FailedError,
  isForbidden,
  isUnreadable,
  messageOf,
} from '../support/errors.ts';
import { systemAdvice } from '../support/system-advice.ts';

/** The bytes of a blob, to be read at any offset. */
export interface BlobFile {
  readonly size: number;
  /** The bytes from `offset` on: `length` of them, or fewer where it ends before. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * A blob that is a file of its own.
 * @throws {DamagedError} when it is something else
 */
export async function openBlobFile(path: string): Promise<BlobFile> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new DamagedError(`reading ${path}: it is no file`, { facts: { path } });
    const { size } = status;
    return {
      size,
      async read(offset, length) {
        const { buffer, bytesRead } = await file
          .read(Buffer.allocUnsafe(length), 0, length, offset)
          .catch((error: unknown) => {
            throw blobError(path, error);
          });
        return buffer.subarray(0, bytesRead);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * What reading a blob failed of, in our words: damage where it is lost or its disk fails, no damage where it was the
 * process or the network that could not.
 */
export function blobError(path: string, error: unknown): Error {
  if (error instanceof DockerctlError) return error;
  const what = `reading ${path}: ${messageOf(error)}`;
  const details = { facts: { path }, cause: error };
  const code = codeOf(error);
  if (isForbidden(error))
    return new FailedError(what, { advice: 'Run it as the user to whom these files belong', ...details });
  if (code !== undefined && !isUnreadable(error))
    return new FailedError(what, { ...systemAdvice(error), ...details });
  return new DamagedError(what, { ...systemAdvice(error), ...details });
}
