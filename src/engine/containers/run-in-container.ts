import { FailedError } from '../../support/errors.ts';
import { firstBytes } from '../../support/first-bytes.ts';
import type { CommandResult } from '../../support/run-command.ts';
import type { Engine } from '../engine.ts';

export interface RunInContainerOptions {
  user?: string;
  environment?: Record<string, string>;
  /** Seconds it may take, the engine's own part included. */
  timeout?: number;
  signal?: AbortSignal;
}

const stdoutLimit = 1024 * 1024;
const stderrLimit = 64 * 1024;

/**
 * Runs a program with these exact arguments in a running container, without a shell, and returns how it ended. Of
 * what it prints the first MiB is kept, of what it complains about the first 64 KiB. The engine has no way to end
 * it: when the time is up or `signal` aborts we stop listening, and it runs on.
 * @throws {FailedError} when its time was up.
 */
export async function runInContainer(
  { containers }: Pick<Engine, 'containers'>,
  container: string,
  command: readonly string[],
  { timeout, signal, ...more }: RunInContainerOptions = {},
): Promise<CommandResult> {
  const purpose = `running ${command[0]} in ${container}`;
  const deadline = startDeadline(purpose, timeout, signal);
  const execution = containers.exec(container, { command, ...more });
  const result = execution.then(async ({ stdout, stderr, exitCode }) => {
    const [output, complaints, status] = await Promise.all([
      firstBytes(stdout, stdoutLimit),
      firstBytes(stderr, stderrLimit),
      exitCode,
    ]);
    return { status, stdout: output, stderr: complaints };
  });
  try {
    return await Promise.race([result, deadline.passed]);
  } finally {
    deadline.end();
    result.catch(() => {}); // Of no interest once the deadline has passed.
    execution.then(
      (running) => running.close(),
      () => {},
    );
  }
}

/** `passed` rejects when the time is up or the signal aborts, whichever comes first. */
function startDeadline(purpose: string, timeout: number | undefined, signal: AbortSignal | undefined) {
  const { promise: passed, reject } = Promise.withResolvers<never>();
  passed.catch(() => {});
  const abort = (): void => reject(signal?.reason);
  const late = (): void => reject(new FailedError(`${purpose}: no answer within ${timeout} s`));
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout * 1000);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  return {
    passed,
    end(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}
