import { codeOf, FailedError, isDiskFull, messageOf, NoSpaceError } from '../../support/errors.ts';
import { systemAdvice } from '../../support/system-advice.ts';

/**
 * What an operator is to hear of a disk that would not take an archive. Errors that are no disk's come back as they
 * are.
 * @param doing what to whom, such as `saving images`
 * @param places where it was written
 * @param spaceAdvice how to need less room
 */
export function writeFailure(cause: unknown, doing: string, places: string, spaceAdvice: string): unknown {
  if (isDiskFull(cause)) {
    const advice = spaceAdvice;
    return new NoSpaceError(`${doing}: there is no space left in ${places}`, { advice, cause });
  }
  const code = codeOf(cause) ?? '';
  if (code === 'EFBIG') return fileTooLarge(doing, places, cause);
  const advice = adviceOn[code] ?? systemAdvice(cause).advice;
  if (advice === undefined) return cause;
  return new FailedError(`${doing}: ${places} could not be written (${messageOf(cause)})`, { advice, cause });
}

/** A file system has a limit to its files: FAT32 one byte less than 4 GiB. */
export function fileTooLarge(doing: string, place: string, cause?: unknown): NoSpaceError {
  return new NoSpaceError(`${doing}: the file becomes larger than the file system of ${place} allows`, {
    advice: 'Write volumes with --split 4G, which fit a FAT32 disk, or use a disk with another file system',
    cause,
  });
}

const disk = 'Look whether the disk is still connected; if it is, it fails: use another one';
const rights = 'Mount it for writing, or choose another place with -o FILE';

const adviceOn: Readonly<Record<string, string>> = {
  EIO: disk,
  ENODEV: disk,
  ENXIO: disk,
  EUCLEAN: disk,
  ESTALE: disk,
  EROFS: rights,
  EACCES: rights,
  EPERM: rights,
};
