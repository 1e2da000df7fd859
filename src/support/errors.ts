import { type SystemError, unknownToNode } from './system-error.ts';

/**
 * Every error an operator can meet. Each class is one row of the exit-code table in `src/cli/exit-codes.ts`;
 * everything else that is thrown is a defect of ours.
 */

/** Facts about a failure that machines read: paths, digests, byte counts, what was found and what was wanted. */
export type Facts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface ErrorDetails {
  /** What the operator should do next: one sentence that begins with a capital and ends without a full stop. */
  advice?: string;
  facts?: Facts;
  cause?: unknown;
}

/**
 * The base of all of them. `message` says what was being done to what, and what went wrong: one line,
 * no full stop, no advice.
 */
export abstract class DockerctlError extends Error {
  abstract override readonly name: string;
  readonly advice: string | undefined;
  readonly facts: Facts;

  constructor(message: string, { advice, facts = {}, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.advice = advice;
    this.facts = facts;
  }
}

/** It failed; nothing changed, or all of it was undone. */
export class FailedError extends DockerctlError {
  override readonly name = 'FailedError';
}

/** What was typed, or the deployment file, cannot be used. */
export class UsageError extends DockerctlError {
  override readonly name = 'UsageError';
}

/** A snapshot was committed but is incomplete. */
export class IncompleteError extends DockerctlError {
  override readonly name = 'IncompleteError';
}

/** No such release, snapshot, service or file. */
export class NotFoundError extends DockerctlError {
  override readonly name = 'NotFoundError';
}

/** Another dockerctl holds the lock. */
export class LockedError extends DockerctlError {
  override readonly name = 'LockedError';
}

/** A key or a signature is missing or wrong. */
export class SignatureError extends DockerctlError {
  override readonly name = 'SignatureError';
}

/** Not enough space (or inodes) for what was asked. */
export class NoSpaceError extends DockerctlError {
  override readonly name = 'NoSpaceError';
}

/** Bytes are not what their digest, length or format says. */
export class DamagedError extends DockerctlError {
  override readonly name = 'DamagedError';
}

/** The result failed its checks and was rolled back. */
export class ChecksFailedError extends DockerctlError {
  override readonly name = 'ChecksFailedError';
}

/** A container is not in the state we owe: somebody must look. */
export class ContainerStateError extends DockerctlError {
  override readonly name = 'ContainerStateError';
}

/** A `refuse-while` check says the system is busy, or did not answer. */
export class BusyError extends DockerctlError {
  override readonly name = 'BusyError';
}

/** The engine cannot be reached. */
export class EngineUnreachableError extends DockerctlError {
  override readonly name = 'EngineUnreachableError';
}

/** Somebody pressed Ctrl-C or sent TERM; the state was restored. */
export class InterruptedError extends DockerctlError {
  override readonly name = 'InterruptedError';
}

/** The message of anything that was thrown, in one line. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const named = systemErrorOf(error);
  return named === undefined
    ? error.message
    : error.message.replace(namelessInMessage, `${named.code}: ${named.meaning}`);
}

/** Whether a disk, or what a user may have of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * Whether a file cannot be read for where it lies or what it is: gone, on a disk that fails or whose file system is
 * spoilt there, a directory, links in a circle.
 */
export function isUnreadable(error: unknown): boolean {
  return ['ENOENT', 'EIO', 'EUCLEAN', 'EBADMSG', 'EISDIR', 'ELOOP'].includes(codeOf(error) ?? '');
}

/** Whether somebody else may, so that nothing is known of what is there. */
export function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(codeOf(error) ?? '');
}

/** Whether it comes from a call of the system, and is none of ours. */
export function isOfSystem(error: unknown): boolean {
  return typeof (error as { errno?: unknown } | null | undefined)?.errno === 'number';
}

/** The system's error code (`ENOENT`, `ENOSPC`, …) of anything that was thrown, if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? (systemErrorOf(error)?.code ?? code) : undefined;
}

/** What the system calls it, where node has no name for it: its calls that wait for the result say so in other words. */
function systemErrorOf(error: unknown): SystemError | undefined {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  const isNameless = code === `Unknown system error ${errno}` || code === 'UNKNOWN';
  return isNameless && typeof errno === 'number' ? unknownToNode(errno) : undefined;
}

const namelessInMessage = /^(?:(Unknown system error -\d+): \1|UNKNOWN: unknown error)/;
