import { type CommandOptions, type CommandResult, runCommand } from '../../support/run-command.ts';
import { requireTrustedProgram } from '../trust/trusted-program.ts';

/**
 * Runs a command of the deployment file on the host, as `runCommand` does.
 * @throws {UsageError} when root is to run what others could write. @throws {FailedError}
 */
export async function runHostCommand(
  command: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const [program = '', ...args] = command;
  await requireTrustedProgram(program);
  return runCommand(program, args, options);
}
