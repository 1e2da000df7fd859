import * as errors from '../support/errors.ts';

/** What each exit status means is part of the promise to scripts: `docs/exit-codes.md` says it to users. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  incomplete: 3,
  notFound: 10,
  locked: 11,
  signature: 12,
  noSpace: 13,
  damaged: 14,
  checksFailed: 15,
  containerState: 16,
  busy: 17,
  engineUnreachable: 18,
  interrupted: 130,
  terminated: 143,
} as const;

const codeOfError: [new (message: string) => errors.DockerctlError, number][] = [
  [errors.UsageError, exitCodes.usage],
  [errors.IncompleteError, exitCodes.incomplete],
  [errors.NotFoundError, exitCodes.notFound],
  [errors.LockedError, exitCodes.locked],
  [errors.SignatureError, exitCodes.signature],
  [errors.NoSpaceError, exitCodes.noSpace],
  [errors.DamagedError, exitCodes.damaged],
  [errors.ChecksFailedError, exitCodes.checksFailed],
  [errors.ContainerStateError, exitCodes.containerState],
  [errors.BusyError, exitCodes.busy],
  [errors.EngineUnreachableError, exitCodes.engineUnreachable],
  [errors.InterruptedError, exitCodes.interrupted],
];

/** The exit status for anything that was thrown; what is not one of ours is `failed`, but for a full disk. */
export function exitCodeOf(error: unknown): number {
  for (const [type, code] of codeOfError) if (error instanceof type) return code;
  if (errors.isDiskFull(error)) return exitCodes.noSpace;
  return exitCodes.failed;
}
