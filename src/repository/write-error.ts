import {
  codeOf,
  DockerctlError,
  FailedError,
  isDiskFull,
  messageOf,
  NoSpaceError,
} from '../support/errors.ts';
import { systemAdvice } from '../support/system-advice.ts';

/**
 * What the operator is told when writing to the repository fails. Errors of ours pass as they are.
 * @param doing what was being done
 */
export function writeError(directory: string, error: unknown, doing = `writing to ${directory}`): Error {
  if (error instanceof DockerctlError) return error;
  const code = codeOf(error);
  const what = `${doing}: ${messageOf(error)}`;
  if (code === undefined) return error instanceof Error ? error : new Error(what);
  if (!isDiskFull(error)) {
    const facts = { path: directory, code };
    const advice = advices[code] === undefined ? systemAdvice(error) : { advice: advices[code] };
    return new FailedError(what, { ...advice, facts, cause: error });
  }
  return new NoSpaceError(what, {
    advice:
      'Make room there, with `dockerctl backup prune` for example, and run it again: nothing of this run was kept, older snapshots are whole',
    facts: { path: directory },
    cause: error,
  });
}

/**
 * The same when reading it fails for another reason than damage: nobody shall take for lost what only this user may not
 * read.
 */
export function readError(directory: string, error: unknown): Error {
  return writeError(directory, error, `reading ${directory}`);
}

const otherDirectory = 'Name a directory that does not exist yet, on a disk that can be written to';
const nobodyMay =
  'Run it as the user who makes the backups; what not even root may change is immutable (see `lsattr`), or on a server that root is nobody on (root_squash)';

const advices: Record<string, string | undefined> = {
  EROFS:
    'Mount its disk for writing; if it became read-only by itself, look at `dmesg`: the disk may be failing',
  EACCES: nobodyMay,
  EPERM: nobodyMay,
  ENOTDIR: otherDirectory,
  EEXIST: otherDirectory,
  ENOENT: 'See whether its disk is still mounted, or name another directory',
  EISDIR: 'See who put a directory where a file belongs, and move it away',
};
