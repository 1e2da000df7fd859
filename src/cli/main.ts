import { InterruptedError } from '../support/errors.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { Io } from './io.ts';
import { watchOutput } from './output.ts';
import { runProgram } from './program.ts';
import { renderError } from './render/error.ts';

/**
 * Runs one command line from argv to exit status. Never throws: what fails is printed on stderr in at most three
 * lines, and its class decides the status.
 */
export async function main(io: Io): Promise<number> {
  const interruption = listenForInterruption();
  const output = watchOutput(io);
  try {
    const status = await runProgram(io, output, interruption.signal);
    await output.finish();
    return status;
  } catch (thrown) {
    const error = output.explain(thrown);
    if (error === undefined) return exitCodes.done;
    const status = interruption.signal.aborted ? interruption.status() : exitCodeOf(error);
    io.stderr.write(renderError(error, status, io));
    return status;
  } finally {
    interruption.stopListening();
  }
}

/** Ctrl-C and TERM ask the work to stop and restore its state; a second Ctrl-C leaves at once. */
function listenForInterruption() {
  const controller = new AbortController();
  let status: number = exitCodes.interrupted;
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort(new InterruptedError('interrupted'));
  };
  const terminate = () => {
    status = exitCodes.terminated;
    controller.abort(new InterruptedError('terminated'));
  };
  process.on('SIGINT', interrupt).on('SIGTERM', terminate).on('SIGHUP', terminate);
  return {
    signal: controller.signal,
    status: () => status,
    stopListening() {
      process.off('SIGINT', interrupt).off('SIGTERM', terminate).off('SIGHUP', terminate);
    },
  };
}
