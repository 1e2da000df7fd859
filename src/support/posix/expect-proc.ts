import { existsSync } from 'node:fs';
import { FailedError } from '../errors.ts';

/**
 * Much is asked of files through their open directories, which the system shows in /proc/self/fd. Where it does not, as
 * in a chroot that nobody has prepared, every directory and link would seem to be gone.
 * @param doing what cannot be done so
 * @throws {FailedError}
 */
export function expectProc(doing: string): void {
  if (existsSync('/proc/self/fd')) return;
  throw new FailedError(`${doing}: /proc is not mounted here`, {
    advice: 'Mount it: mount -t proc proc /proc',
  });
}
