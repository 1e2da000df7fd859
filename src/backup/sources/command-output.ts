import { outputOf } from '../../databases/container/program.ts';
import { outputOfHostCommand } from '../../deployment/commands/stream-host-command.ts';
import { withDeadline } from '../../support/deadline.ts';
import { runningContainerOf, type SaidCommand, type Surroundings } from '../run-where-said.ts';

/**
 * Everything a command prints, on the host or in its service's container, for output too long for memory. Throws after
 * the last byte unless the command exited with 0: what was read without a throw is whole.
 *
 * @param onComplaints is given what it said on stderr although it succeeded; the end of it, if it was long
 * @throws {ContainerStateError} when the service does not run.
 * @throws {FailedError} when it fails, its time is up or it falls silent
 */
export async function* outputOfCommand(
  said: SaidCommand,
  surroundings: Surroundings,
  signal: AbortSignal,
  onComplaints: (text: string) => void,
): AsyncGenerator<Uint8Array> {
  if (said.service === undefined) return yield* outputOfHostCommand(said, signal, onComplaints);
  const { command, service, timeout } = said;
  const purpose = `running ${command[0]} in ${service}`;
  const server = { engine: surroundings.engine, container: await runningContainerOf(service, surroundings) };
  const deadline = withDeadline(signal, purpose, timeout);
  const program = { command, purpose, signal: deadline };
  yield* outputOf(server, program, onComplaints);
}
