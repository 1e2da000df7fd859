import {
  codeOf,
  DockerctlError,
  FailedError,
  isDiskFull,
  messageOf,
  NoSpaceError,
} from '../../support/errors.ts';

/** What the operator is told when writing to the repository fails. Errors of ours pass as they are. */
export function writeError(directory: string, error: unknown): Error {
  if (error instanceof DockerctlError) return error;
  const code = codeOf(error);
  const what = `writing to ${directory}: ${messageOf(error)}`;
  if (code === undefined) return error instanceof Error ? error : new Error(what);
  if (!isDiskFull(error)) return new FailedError(what, { facts: { code }, cause: error });
  return new NoSpaceError(what, {
    advice: 'Make room there and run it again: nothing of this run was kept, older snapshots are whole',
    facts: { path: directory },
    cause: error,
  });
}
