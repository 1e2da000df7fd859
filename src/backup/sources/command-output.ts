import { outputOf } from '../../databases/container/program.ts';
import { requireTrustedProgram } from '../../deployment/trust/trusted-program.ts';
import { describeExit, startChild } from '../../support/child.ts';
import { withDeadline } from '../../support/deadline.ts';
import { FailedError } from '../../support/errors.ts';
import { runningContainerOf, type SaidCommand, type Surroundings } from '../run-where-said.ts';

/**
 * Everything a command prints, on the host or in its service's container, for output too long for memory. Throws after
 * the last byte unless the command exited with 0: what was read without a throw is whole.
 *
 * @param onComplaints is given what it said on stderr although it succeeded; the end of it, if it was long
 * @throws {ContainerStateError} when the service does not run. @throws {FailedError} when it fails or its time is up
 */
export async function* outputOfCommand(
  said: SaidCommand,
  surroundings: Surroundings,
  signal: AbortSignal,
  onComplaints: (text: string) => void,
): AsyncGenerator<Uint8Array> {
  if (said.service === undefined) return yield* outputOnHost(said, signal, onComplaints);
  const { command, service, timeout } = said;
  const purpose = `running ${command[0]} in ${service}`;
  const server = { engine: surroundings.engine, container: await runningContainerOf(service, surroundings) };
  const deadline = withDeadline(signal, purpose, timeout);
  const program = { command, environment: {}, user: undefined, purpose, signal: deadline };
  yield* outputOf(server, program, onComplaints);
}

async function* outputOnHost(
  { command, timeout }: SaidCommand,
  signal: AbortSignal,
  onComplaints: (text: string) => void,
): AsyncGenerator<Uint8Array> {
  await requireTrustedProgram(command[0] ?? '');
  const child = startChild(command, { signal, ...(timeout !== undefined && { timeout }) });
  child.stdin.end();
  yield* child.stdout;
  const exit = await child.exited;
  signal.throwIfAborted();
  const complaints = exit.stderr.trim();
  if (exit.code !== 0 || exit.timedOut) {
    const last = complaints.split('\n').at(-1) ?? '';
    throw new FailedError(`running ${command[0]}: ${describeExit(exit)}${last && `: ${last}`}`, {
      facts: { stderr: complaints },
    });
  }
  if (complaints !== '') onComplaints(complaints);
}
