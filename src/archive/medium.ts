import type { FileHandle } from 'node:fs/promises';
import { codeOf, DamagedError, FailedError, isOfSystem } from '../support/errors.ts';
import { systemAdvice } from '../support/system-advice.ts';

/**
 * Reads into `buffer` from `position` on.
 * @param name of the file, for messages
 * @returns how many bytes there were
 * @throws {DamagedError} when the medium does not give them
 */
export async function readMedium(
  file: FileHandle,
  name: string,
  buffer: Uint8Array,
  position: number,
): Promise<number> {
  try {
    return (await file.read(buffer, 0, buffer.length, position)).bytesRead;
  } catch (error) {
    throw unreadable(name, error, position);
  }
}

/**
 * A disk that is failing, or was pulled out, is told of as the damage that it is to the archive; what else the system
 * answers is none. What is none of the system's passes as it is.
 */
export function unreadable(name: string, cause: unknown, position?: number): unknown {
  if (!isOfSystem(cause)) return cause;
  const code = codeOf(cause) ?? '';
  const at = position === undefined ? '' : ` from byte ${position} on`;
  const what = `${name}: cannot be read${at} (${code})`;
  if (!failures.has(code))
    return new FailedError(what, { ...systemAdvice(cause), facts: { position }, cause });
  return new DamagedError(what, {
    advice:
      'Look whether the disk is still connected; if it is, it fails: copy the file again, to another one',
    facts: { position },
    cause,
  });
}

/** What a disk, a network file system or its absence give. */
const failures: ReadonlySet<string> = new Set([
  'EIO',
  'ENODEV',
  'ENXIO',
  'ENOMEDIUM',
  'ESTALE',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EBADMSG',
  'EUCLEAN',
]);
