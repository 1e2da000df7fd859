import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { listenForInterruption } from './interruption.ts';
import type { Io } from './io.ts';
import { watchOutput } from './output.ts';
import { runProgram } from './program.ts';
import { renderError } from './render/error.ts';

/**
 * Runs one command line from argv to exit status. Never throws: what fails is printed on stderr in at most three
 * lines, and its class decides the status.
 */
export async function main(io: Io): Promise<number> {
  const interruption = listenForInterruption({ ignoresHangup: io.ignoresHangup === true });
  const output = watchOutput(io);
  try {
    const status = await runProgram(io, output, interruption.signal);
    await output.finish(status, interruption.signal);
    return status;
  } catch (thrown) {
    const error = output.explain(interruption.explain(thrown));
    if (error === undefined) return exitCodes.done;
    const status = interruption.signal.aborted ? interruption.status() : exitCodeOf(error);
    io.stderr.write(renderError(error, status, io));
    await output.written(interruption.signal).catch(() => {});
    return status;
  } finally {
    interruption.stopListening();
  }
}
