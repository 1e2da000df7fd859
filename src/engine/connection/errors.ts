import {
  codeOf,
  DockerctlError,
  EngineUnreachableError,
  FailedError,
  InterruptedError,
  messageOf,
  NoSpaceError,
  NotFoundError,
} from '../../support/errors.ts';

/**
 * What a failed request means to an operator. `doing` completes "failed while …" and names the thing. An error that
 * carries a status is the engine's own answer; one with a system code means that no answer came.
 */
export function explainFailure(doing: string, address: string, error: unknown): unknown {
  if (error instanceof DockerctlError) return error;
  const status = statusOf(error);
  if (status !== undefined) return refusal(doing, status, engineWords(error), error);
  if (codeOf(error) !== undefined) return unreachable(address, error);
  return error;
}

/** The HTTP status of the engine's answer, if that is what was thrown. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null | undefined)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** What the engine answers, or `undefined` where it says that there is no such thing. */
export async function ifThere<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** An error that the engine reported about what it was asked to do. */
export function engineFailure(doing: string, words: string, cause?: unknown): DockerctlError {
  if (/no space left on device/i.test(words)) {
    return new NoSpaceError(`${doing}: ${words}`, {
      advice: "Free space on the file system of the engine's data root",
      cause,
    });
  }
  return new FailedError(`${doing}: ${words}`, { cause });
}

/** What to throw once `signal` was aborted: its own reason where that is one of ours. */
export function interruption(doing: string, signal: AbortSignal): DockerctlError {
  if (signal.reason instanceof DockerctlError) return signal.reason;
  return new InterruptedError(`${doing} was interrupted`, { cause: signal.reason });
}

function refusal(doing: string, status: number, words: string, cause: unknown): DockerctlError {
  if (status === 404) return new NotFoundError(`${doing}: ${words}`, { cause });
  return engineFailure(doing, words, cause);
}

/** dockerode wraps the engine's message as `(HTTP code 404) no such container - message`. */
function engineWords(error: unknown): string {
  const { json } = error as { json?: { message?: unknown } | null };
  const words =
    typeof json?.message === 'string'
      ? json.message
      : messageOf(error).replace(/^\(HTTP code \d+\) [^-]* - /, '');
  return words.replaceAll(/\s*\n\s*/g, '; ').trim();
}

function unreachable(address: string, cause: unknown): EngineUnreachableError {
  const advice =
    codeOf(cause) === 'EACCES'
      ? 'Run it as root, or as a member of the group that may use the engine'
      : 'Start the engine, or name another one with --host or DOCKER_HOST';
  return new EngineUnreachableError(`cannot reach the engine at ${address}: ${messageOf(cause)}`, {
    advice,
    facts: { address },
    cause,
  });
}
